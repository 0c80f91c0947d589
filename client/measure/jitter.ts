/**
 * Jitter: how much the round-trip times of a stream of packets vary from one packet to the next.
 *
 * @module
 */

/** Two measures of jitter, in microseconds; `null` until two packets of consecutive sequence numbers came back. */
export interface JitterSummary {
  /** The interarrival jitter of RFC 3550, section 6.4.1. */
  rfc3550: number | null;
  /** The mean of the absolute inter-packet delay variation (RFC 3393). */
  ipdv_mean: number | null;
}

/**
 * Measures jitter as the packets come back, in constant memory. Both measures start from D, the difference between the
 * round-trip times of two packets of consecutive sequence numbers:
 *
 * - **RFC 3550**, section 6.4.1: J starts at 0, and each D moves it: J += (|D| − J) / 16. It tells of the recent past.
 *   The RFC has the one-way transit time where this has the round-trip time, of which no clock of the peer is part.
 * - **Mean IPDV**: the arithmetic mean of all |D|. IPDV is D in the sense of RFC 3393 for consecutive packets (the form
 *   that RFC 5481, section 4.1 describes), again with the round-trip time for the one-way delay.
 *
 * A lost packet has no D, and neither has the one after it. A packet that comes back after a later one, or again, is
 * left out, so the packet after it may have no D either.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const jitter = new JitterMeter();
 * [100_000, 116_000, 84_000].forEach((ns, sequence) => jitter.record(sequence, ns));
 * // |D| is 16 and 32 us: J = 16/16 = 1, then 1 + (32 − 1)/16.
 * assertEquals(jitter.summary(), { rfc3550: 2.938, ipdv_mean: 24 });
 * ```
 */
export class JitterMeter {
  #sequence = -Infinity;
  #rtt = 0;
  #jitter = 0;
  #sum = 0;
  #pairs = 0;

  /**
   * Takes a packet that came back.
   *
   * @param sequence Its sequence number; it must not wrap around.
   * @param ns Its round-trip time in nanoseconds.
   */
  record(sequence: number, ns: number): void {
    if (sequence <= this.#sequence) return;
    if (sequence === this.#sequence + 1) {
      const difference = Math.abs(ns - this.#rtt);
      this.#jitter += (difference - this.#jitter) / 16;
      this.#sum += difference;
      this.#pairs++;
    }
    this.#sequence = sequence;
    this.#rtt = ns;
  }

  /**
   * Tells the jitter so far.
   *
   * @returns Both measures in microseconds, to the nanosecond.
   */
  summary(): JitterSummary {
    if (this.#pairs === 0) return { rfc3550: null, ipdv_mean: null };
    return { rfc3550: Math.round(this.#jitter) / 1000, ipdv_mean: Math.round(this.#sum / this.#pairs) / 1000 };
  }
}
