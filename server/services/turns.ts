/**
 * Turns among connections, so that those that are served do not keep the others from it.
 *
 * @module
 */

/**
 * Deno completes at most 128 operations a turn of its event loop (tokio's budget of a task), puts off the rest, and what
 * comes anew goes before what was put off: where more connections have something to say, those that were just answered
 * and ask again are served for ever, and others for seconds not at all. More reads than this in a turn are a crowd. It is
 * a little less than the budget, for other operations share it.
 */
const CROWD = 112;

/**
 * While there is a crowd, who was served waits until the others were: until a turn has fewer reads, or none come. Where
 * there is none, it costs a microtask a turn.
 */
export class Turns {
  /** Whether who was served has to {@linkcode wait} before it reads again. */
  crowded = false;
  #reads = 0;
  /** How many looks without a crowd in between end it: a turn may be longer than the time between two. */
  #patience = 0;
  #waiting: (() => void)[] = [];

  /** Counts a read that has completed. */
  served(): void {
    // What completes in one turn of the event loop resumes before the microtask that the first of them queues.
    if (this.#reads++ === 0) queueMicrotask(() => this.#endTurn());
  }

  /** Waits until those that are ready were served. Only to be called where it is crowded. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #endTurn(): void {
    const reads = this.#reads;
    this.#reads = 0;
    if (reads <= CROWD) return this.#release();
    this.#patience = 1;
    if (this.crowded) return;
    this.crowded = true;
    this.#look();
  }

  /** If all that were ready are waiting, no read tells that the crowd is over. An immediate would run too early. */
  #look(): void {
    setTimeout(() => {
      if (!this.crowded) return;
      if (this.#patience-- > 0) this.#look();
      else this.#release();
    }, 0);
  }

  #release(): void {
    if (!this.crowded) return;
    this.crowded = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** The turns of all connections: what they share is the event loop. */
export const turns: Turns = new Turns();
