/**
 * Keeps lines of a kind to a rate that people can follow and a disk can hold.
 *
 * @module
 */

/**
 * Lets so many lines through in each second and counts the rest. It looks at no clock: a timer, which runs only while
 * there are lines, opens the gate again, so that asking costs next to nothing.
 */
export class RateLimit {
  #perSecond: number;
  #onRest: (count: number, bytes: number) => void;
  #left: number;
  #count = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param perSecond How many lines may pass in a second.
   * @param onRest Told at the end of a second how many did not pass, if any, and how many bytes they were about.
   */
  constructor(perSecond: number, onRest: (count: number, bytes: number) => void) {
    this.#perSecond = perSecond;
    this.#onRest = onRest;
    this.#left = perSecond;
  }

  /**
   * Asks whether a line may pass.
   *
   * @param bytes The size of what it is about.
   * @returns Whether it may.
   */
  pass(bytes = 0): boolean {
    if (this.#left > 0) {
      this.#left--;
      if (this.#timer === undefined) this.#start();
      return true;
    }
    this.#count++;
    this.#bytes += bytes;
    return false;
  }

  /**
   * Counts lines that did not pass elsewhere.
   *
   * @param count How many.
   * @param bytes The size of what they are about.
   */
  omit(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
    if (this.#timer === undefined) this.#start();
  }

  /** Tells of the rest at hand and stops the timer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tellRest();
  }

  #start(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#left = this.#perSecond;
      this.#tellRest();
    }, 1000);
  }

  #tellRest(): void {
    if (this.#count > 0) this.#onRest(this.#count, this.#bytes);
    this.#count = 0;
    this.#bytes = 0;
  }
}
