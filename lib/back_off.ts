/**
 * Pauses that grow while something keeps failing.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** Waits between attempts, twice as long after each failure. */
export class BackOff {
  #first: number;
  #most: number;
  #next: number;

  /**
   * @param first How long the first pause is, in milliseconds.
   * @param most How long a pause is at the most, in milliseconds.
   */
  constructor(first: number, most: number) {
    this.#first = this.#next = first;
    this.#most = most;
  }

  /**
   * Waits after a failure.
   *
   * @param signal Ends the wait early.
   */
  async wait(signal: AbortSignal): Promise<void> {
    const pause = this.#next;
    this.#next = Math.min(pause * 2, this.#most);
    // Rejects where the signal ends it, which is no failure.
    await delay(pause, { signal }).catch(() => {});
  }

  /** Begins with the first pause again, after a success. */
  reset(): void {
    this.#next = this.#first;
  }
}
