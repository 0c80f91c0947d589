/**
 * How much of what happens a log shows.
 *
 * @module
 */

import type { EventRates, EventType, Limited, OmittedEvent, ServerEvent } from "../events.ts";
import { RateLimit } from "./rate_limit.ts";

/** How many lines of each kind a log may have in a second, lest a stranger fill a disk. */
const PER_SECOND: EventRates = {
  connected: 20,
  echoed: 20,
  disconnected: 20,
  refused: 5,
  failed: 5,
};

/** How many bytes of a message a log has, unless every message is asked for: more would fill the disk in few lines. */
export const SHOWN_BYTES = 256;

/** Of which kinds a log has all where every message is asked for. */
const EVERY: readonly Limited[] = ["connected", "echoed", "disconnected"];

/** What a log leaves out in a second. */
export interface Unshown {
  /** The kind of event. */
  of: Limited;
  /** How many. */
  count: number;
  /** How many bytes they were about; 0 where they are about none. */
  bytes: number;
}

/**
 * Tells how many events of each kind a log has use for.
 *
 * @param everyMessage Whether all connections and their messages are to be shown, as the user asked for.
 * @returns How many in a second; `Infinity` for all.
 */
export function ratesOf(everyMessage: boolean): EventRates {
  if (!everyMessage) return PER_SECOND;
  return { ...PER_SECOND, ...Object.fromEntries(EVERY.map((kind) => [kind, Infinity])) };
}

/**
 * Tells whether an event is of something that went wrong, which a quiet log shows, too.
 *
 * @param event The event.
 * @returns Whether it is.
 */
export function isFailure(event: ServerEvent): boolean {
  return event.type === "failed" || event.type === "replaced" || event.type === "fallback";
}

/** Keeps each kind of event to its rate. */
export class EventLimits {
  #limits = new Map<EventType, RateLimit>();

  /**
   * @param everyMessage Whether all connections and their messages are to be shown, as the user asked for.
   * @param onUnshown Told at the end of a second of each kind of which some did not pass.
   */
  constructor(everyMessage: boolean, onUnshown: (unshown: Unshown) => void) {
    for (const [of, perSecond] of Object.entries(ratesOf(everyMessage)) as [Limited, number][]) {
      if (perSecond === Infinity) continue;
      this.#limits.set(of, new RateLimit(perSecond, (count, bytes) => onUnshown({ of, count, bytes })));
    }
  }

  /**
   * Asks whether an event may be shown.
   *
   * @param event The event.
   * @returns Whether it may.
   */
  pass(event: ServerEvent): boolean {
    return this.#limits.get(event.type)?.pass(event.type === "echoed" ? event.message.length : 0) ?? true;
  }

  /**
   * Counts what the server has left out itself.
   *
   * @param omitted How much.
   */
  omit({ of, count, bytes }: OmittedEvent): void {
    this.#limits.get(of)?.omit(count, bytes);
  }

  /** Tells what was left out since, and stops the timers. */
  end(): void {
    for (const limit of this.#limits.values()) limit.end();
  }
}
