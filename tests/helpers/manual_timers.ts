/** Timers that go off when a test says so. They stand in for the global ones until disposed. */
export class ManualTimers implements Disposable {
  #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  #now = 0;
  #last = 0;
  #timers = new Map<number, { at: number; run: () => void }>();

  constructor() {
    globalThis.setTimeout = ((run: () => void, delay = 0) => {
      this.#timers.set(++this.#last, { at: this.#now + delay, run });
      return this.#last;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = (id) => void this.#timers.delete(Number(id));
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass: runs the timers that fall due, in their order. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (true) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      const [id, { at, run }] = next;
      this.#timers.delete(id);
      this.#now = at;
      run();
    }
    this.#now = until;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
  }
}
