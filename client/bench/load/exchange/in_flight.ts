/**
 * Messages in flight, by their sequence numbers.
 *
 * @module
 */

/** When messages in flight were due. Their numbers ascend; any of them may be answered first. */
export class InFlight {
  /** How many there are. */
  size = 0;

  /** The times by number, modulo the length, which is a power of two; `NaN` where none is in flight. */
  #dues = new Float64Array(16).fill(NaN);
  /** No number before this one is in flight, none from the end on. */
  #first = 0;
  #end = 0;

  /**
   * Adds a message.
   *
   * @param number Its number, above those of all before it.
   * @param due When it was due.
   */
  add(number: number, due: number): void {
    if (this.size === 0) this.#first = number;
    while (number - this.#first >= this.#dues.length) this.#grow();
    this.#dues[this.#at(number)] = due;
    this.#end = number + 1;
    this.size++;
  }

  /**
   * Tells when a message was due.
   *
   * @param number Its number.
   * @returns The time; `undefined` where it is not in flight.
   */
  dueOf(number: number): number | undefined {
    if (!(number >= this.#first && number < this.#end)) return undefined;
    const due = this.#dues[this.#at(number)]!;
    return due === due ? due : undefined;
  }

  /**
   * Takes a message out.
   *
   * @param number The number of one that is in flight.
   */
  remove(number: number): void {
    this.#dues[this.#at(number)] = NaN;
    this.size--;
    if (number === this.#first) this.#first = this.#next(number + 1);
  }

  /** The number of the oldest one; -1 where there is none. */
  get oldest(): number {
    return this.size === 0 ? -1 : this.#first;
  }

  /** Those in flight, the oldest first. */
  *values(): Generator<number> {
    for (let number = this.#first, left = this.size; left > 0; left--) {
      number = this.#next(number);
      yield this.#dues[this.#at(number++)]!;
    }
  }

  /** Takes all out. */
  clear(): void {
    this.#dues.fill(NaN);
    this.size = 0;
  }

  #at(number: number): number {
    return number & (this.#dues.length - 1);
  }

  /** The first one in flight from a number on. */
  #next(number: number): number {
    while (number < this.#end && Number.isNaN(this.#dues[this.#at(number)]!)) number++;
    return number;
  }

  #grow(): void {
    const before = this.#dues;
    this.#dues = new Float64Array(2 * before.length).fill(NaN);
    for (let number = this.#first; number < this.#end; number++) {
      this.#dues[this.#at(number)] = before[number & (before.length - 1)]!;
    }
  }
}
