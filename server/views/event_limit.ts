/**
 * Keeps frequent events to a rate that people can follow.
 *
 * @module
 */

/**
 * Lets so many events through in each second and counts the rest. It looks at no clock: a timer, which runs only while
 * there are events, opens the gate again, so that asking costs next to nothing.
 */
export class EventLimit {
  #perSecond: number;
  #onRest: (messages: number, bytes: number) => void;
  #left: number;
  #messages = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param perSecond How many events may pass in a second; `Infinity` for all, 0 for none.
   * @param onRest Told at the end of a second how many did not pass, if any.
   */
  constructor(perSecond: number, onRest: (messages: number, bytes: number) => void) {
    this.#perSecond = perSecond;
    this.#onRest = onRest;
    this.#left = perSecond;
  }

  /**
   * Asks whether an event may pass.
   *
   * @param bytes The size of the message it is about.
   * @returns Whether it may.
   */
  pass(bytes: number): boolean {
    if (this.#left > 0) {
      this.#left--;
      if (this.#timer === undefined && this.#perSecond !== Infinity) this.#start();
      return true;
    }
    if (this.#perSecond > 0) {
      this.#messages++;
      this.#bytes += bytes;
    }
    return false;
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
    if (this.#messages > 0) this.#onRest(this.#messages, this.#bytes);
    this.#messages = 0;
    this.#bytes = 0;
  }
}
