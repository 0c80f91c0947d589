/**
 * An answer to a probe, as it is told one by one: to an embedder, and as JSON.
 *
 * @module
 */

/** What may be odd about an answer. */
export type Oddity =
  /** It is not what was sent. */
  | "corrupted"
  /** There was an answer to the probe before. */
  | "duplicate"
  /** An answer to a later probe came before it (RFC 4737, section 3). */
  | "reordered"
  /** It came after the wait for it was over. */
  | "late"
  /** It is no answer to any probe of this session. */
  | "unrelated";

/** An answer. */
export interface Sample {
  /** The sequence number of the probe, from 1 on; `null` where the answer is unrelated. */
  seq: number | null;
  /** The round-trip time in microseconds; `null` where it is not known. */
  rtt_us: number | null;
  /**
   * Of the round-trip time, how long this program took to wake up: from when the system had received the answer until it was
   * read, in microseconds; only where the system tells.
   */
  wakeup_us?: number;
  /** The size of the answer in bytes. */
  bytes: number;
  /** What is odd about it. */
  odd: Oddity[];
  /** Where it is corrupted: the first byte that is wrong, missing or too much, counted from 1. */
  wrong_byte?: number;
}
