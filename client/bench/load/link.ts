/**
 * What a load sees of a socket, whether that carries a stream or messages, and the faults that all of them can find.
 *
 * @module
 */

import type { EndpointError } from "../../../lib/transport/mod.ts";
import type { LoadCounters } from "./counters.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** What the connections of a thread share. */
export interface SharedLoad {
  /** The load. */
  readonly plan: LoadPlan;
  /** When messages are due. */
  readonly schedule: LoadSchedule;
  /** What became of them. */
  readonly counters: LoadCounters;
  /** What to send. */
  readonly noise: Uint8Array;
}

/** Why a link has ended: what the server did wrong, or that nobody is there; `undefined` where this side ended it. */
export type LinkEnd = string | EndpointError | undefined;

/** A socket under load. */
export interface Link {
  /** Resolves at its end. */
  readonly finished: Promise<LinkEnd>;
  /** Whether anything has come back. */
  readonly answered: boolean;
  /** How many messages were begun to be sent. */
  readonly begun: number;
  /** How many bytes have come back of a message that counts and is not answered whole. */
  readonly partialBytes: number;
  /** Begins to exchange messages; to be called once, after the first ones were pushed. */
  start(): void;
  /**
   * Sends messages, after those that are being sent.
   *
   * @param count How many.
   * @param now The time, at which they are due if the load has no rate.
   */
  push(count: number, now: number): void;
  /**
   * Looks for answers that are overdue. To be called again and again.
   *
   * @param now The time.
   */
  watch(now: number): void;
  /** Ends it politely, in a bounded time. */
  end(): Promise<void>;
  /**
   * Ends it at once.
   *
   * @param why Why, where it is the server's fault.
   */
  cut(why?: LinkEnd): void;
  /**
   * Counts the messages that are in flight, after the end, and lets go of them.
   *
   * @param how What became of them.
   * @returns How many messages were not begun to be sent; they are still to be sent, by another.
   */
  abandon(how: "lost" | "unfinished"): number;
}

/** More came back than was sent. */
export const SURPLUS = "more came back than was sent";

/** What came back is not what was sent. */
export const MISMATCH = "other bytes came back";

/** The server ended a connection. */
export const CLOSED = "the server closed the connection";
