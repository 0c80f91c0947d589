/**
 * What the thread of a ping session sends probes and reads answers by.
 *
 * @module
 */

import type { EventListener } from "./event_log.ts";
import type { Ending } from "./messages.ts";
import type { ProbeFormat } from "../probe.ts";

/** What a link is told, and whom it tells. */
export interface LinkSession extends Pick<EventListener, "answered" | "failed"> {
  /** The session's probes. */
  readonly format: ProbeFormat;
  /** The time in nanoseconds since the session began. */
  readonly now: () => number;
  /** No answer can come any more. */
  end(ending: Ending): void;
}

/** A socket that does not block, with probes and answers on it. */
export interface Link {
  /** What to wait for: `POLL.in`, and `POLL.out` where something waits to be sent. */
  readonly events: number;
  /**
   * Sends a probe.
   *
   * @param probe The probe; it must not change afterwards.
   * @returns The number of the error where it cannot be sent, and others might; 0 where it was, or where the session ends.
   */
  send(probe: Uint8Array<ArrayBuffer>): number;
  /**
   * Reads what has come, and the clock right after it; sends what waits.
   *
   * @param happened What has happened: `POLL.in` and others, put together.
   */
  read(happened: number): void;
  /** Tells of what was read. */
  tell(): void;
}
