/**
 * One of the connections of a load, or of its sockets of datagrams.
 *
 * @module
 */

import { BackOff } from "../../../lib/back_off.ts";
import { describeCause } from "../../../lib/errors.ts";
import { EndpointError } from "../../../lib/transport/mod.ts";
import { countCause } from "./counters.ts";
import type { Link, LinkEnd, LoadEngine, SharedLoad } from "./link.ts";

/** The pause before a connection is replaced that brought nothing, in milliseconds: the first time, and the most. */
const PAUSE = { first: 50, most: 1000 };

/** A connection of a load: one link, or one after the other where they are replaced. */
export class LoadConnection {
  /** Why it could not be made, or nothing be sent on it, the first time; `undefined` while that has not happened. */
  refusal: Error | undefined;
  /** Whether the server was ever there: it has answered, or broken a connection. */
  reached = false;

  #number: number;
  #load: SharedLoad;
  #engine: LoadEngine;
  #link: Link | undefined;
  /** Whether there is no link, and will be none. */
  #over = false;
  /** Messages: that have fallen due by the rate, that former links have begun to send, that wait for a link. */
  #due = 0;
  #begun = 0;
  #waiting = 0;

  /**
   * Prepares a connection.
   *
   * @param number Its number in the whole load.
   * @param load The load.
   * @param engine Opens its links.
   */
  constructor(number: number, load: SharedLoad, engine: LoadEngine) {
    this.#number = number;
    this.#load = load;
    this.#engine = engine;
  }

  /** How many bytes have come back of a message that counts and is not answered whole. */
  get partialBytes(): number {
    return this.#link?.partialBytes ?? 0;
  }

  /**
   * Connects. Why it could not is counted.
   *
   * @returns Why it could not; `undefined` where it could, or where it is not needed any more.
   */
  async open(): Promise<Error | undefined> {
    const { schedule } = this.#load;
    const begun = this.#begun;
    try {
      this.#link = await this.#engine.open(this.#load, (index) => schedule.dueAt(this.#number, begun + index));
    } catch (error) {
      if (schedule.over.aborted) return;
      this.refuse(error as Error);
      return error as Error;
    }
  }

  /**
   * Counts that the connection could not be made, or nothing be sent on it.
   *
   * @param error Why.
   */
  refuse(error: Error): void {
    this.refusal ??= error;
    const [what, cause] = error instanceof EndpointError
      ? [error.operation === "send to" ? "send" : "connect", error.cause]
      : ["connect", error];
    countCause(this.#load.counters.counts.refused, `cannot ${what}: ${describeCause(cause)}`);
  }

  /** Keeps the connection busy, and replaces it where that is wanted, until the load is over. */
  async run(): Promise<void> {
    const { plan, schedule, counters } = this.#load;
    const backOff = new BackOff(PAUSE.first, PAUSE.most);
    while (true) {
      const link = this.#link;
      if (link) {
        const now = performance.now();
        const more = plan.rate === undefined ? schedule.claim(plan.depth - this.#waiting, now) : 0;
        link.push(this.#waiting + more, now);
        this.#waiting = 0;
        link.start();
        this.#leave(link, await link.finished);
        if (link.answered) backOff.reset();
      }
      if (!plan.reconnect || !schedule.sending) break;
      if (!link?.answered) await backOff.wait(schedule.over);
      await this.open();
      if (!schedule.sending) this.cut();
    }
    this.#over = true;
    // On a schedule, what could not even be sent in time has no answer either.
    if (plan.rate !== undefined) {
      for (let i = 0; i < this.#waiting; i++) {
        counters.miss(schedule.stopped.aborted ? "unfinished" : "lost", schedule.dueAt(this.#number, this.#begun + i));
      }
    }
    schedule.release(this.#waiting);
  }

  /**
   * Sends the next message of a load with a rate.
   *
   * @param due When it is due.
   */
  fallDue(due: number): void {
    this.#due++;
    if (this.#over) return this.#load.counters.miss("lost", due);
    this.#load.schedule.fallDue();
    if (this.#link) this.#link.push(1, due);
    else this.#waiting++;
  }

  /** Counts what has not fallen due, because no connection was left, as lost. */
  loseRest(): void {
    this.#load.counters.counts.lost += this.#load.schedule.remaining(this.#number, this.#due);
  }

  /**
   * Looks for answers that are overdue. To be called again and again.
   *
   * @param now The time.
   */
  watch(now: number): void {
    this.#link?.watch(now);
  }

  /** Ends the link politely, in a bounded time. */
  async end(): Promise<void> {
    await this.#link?.end();
  }

  /** Ends the link at once. */
  cut(): void {
    this.#link?.cut();
  }

  /** Takes leave of a link that has ended. */
  #leave(link: Link, end: LinkEnd): void {
    const { counters, schedule } = this.#load;
    this.#link = undefined;
    this.reached ||= link.answered || typeof end === "string";
    if (typeof end === "string") countCause(counters.counts.broken, end);
    else if (end !== undefined) this.refuse(end);
    this.#waiting = link.abandon(end === undefined || schedule.stopped.aborted ? "unfinished" : "lost");
    this.#begun += link.begun;
  }
}
