/**
 * Which messages of a load are due, and when. Times are in milliseconds on the clock of `performance.now()`.
 *
 * @module
 */

import type { LoadPlan } from "./plan.ts";

/** The schedule of the part of a load that one thread carries, and how many of its messages are in flight. */
export class LoadSchedule {
  /** Whether messages are still being sent. */
  sending = true;
  /** From when on messages count: by when they were due, not by when they were answered. */
  measureFrom = Infinity;
  /** When the sending ended. */
  ended = 0;
  /** Resolves when no more messages are to be sent. */
  readonly sent: Promise<void>;
  /** Resolves when no more messages are to be sent, and none are in flight. */
  readonly idle: Promise<void>;
  /** Aborted when no more messages are to be sent: nothing needs to be connected any more. */
  readonly over: AbortSignal;
  /** Aborted when the load is ended early. */
  readonly stopped: AbortSignal;

  #plan: LoadPlan;
  #start = Infinity;
  #budget = Infinity;
  #inFlight = 0;
  #sent = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();
  #over = new AbortController();
  #stopped = new AbortController();

  /**
   * Makes a schedule that has not begun.
   *
   * @param plan The load.
   */
  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.sent = this.#sent.promise;
    this.idle = this.#idle.promise;
    this.over = this.#over.signal;
    this.stopped = this.#stopped.signal;
  }

  /**
   * Sets the time of the beginning.
   *
   * @param start When the first message is due.
   */
  begin(start: number): void {
    const { warmup, rate, messages, first, count, connections } = this.#plan;
    this.#start = start;
    // With a rate, a whole number of messages comes before, and the first that counts is due just at this time.
    this.measureFrom = rate === undefined ? start + warmup : this.#dueOf(this.#warmupMessages);
    if (messages === undefined) return;
    // The threads' shares are as even as whole numbers are, and add up.
    this.#budget = Math.floor(messages * (first + count) / connections) - Math.floor(messages * first / connections);
  }

  /** When the last message is due; `Infinity` where the messages are counted. */
  get end(): number {
    return this.measureFrom + this.#plan.duration;
  }

  /**
   * Grants messages to a connection of a load without a rate.
   *
   * @param wanted How many it would send.
   * @param now The time.
   * @returns How many it is to send.
   */
  claim(wanted: number, now: number): number {
    if (now >= this.end || this.#budget === 0) this.endSending();
    if (!this.sending) return 0;
    const granted = now < this.measureFrom ? wanted : Math.min(wanted, this.#budget);
    if (now >= this.measureFrom) this.#budget -= granted;
    this.#inFlight += granted;
    return granted;
  }

  /**
   * How many messages a load with a rate has in all, those of the warm-up included.
   *
   * @returns The number for the whole load, not just this thread.
   */
  get scheduled(): number {
    const { rate = 0, duration, messages } = this.#plan;
    return this.#warmupMessages + (messages ?? Math.round(duration * rate / 1000));
  }

  /**
   * How many of the messages that count a connection of a load with a rate still has.
   *
   * @param connection The number of the connection.
   * @param index How many messages of the connection come before.
   * @returns The number.
   */
  remaining(connection: number, index: number): number {
    const ofFirst = (messages: number) => Math.max(0, Math.ceil((messages - connection) / this.#plan.connections));
    return Math.max(0, ofFirst(this.scheduled) - Math.max(index, ofFirst(this.#warmupMessages)));
  }

  /**
   * When a message of a load with a rate is due. The connections take turns.
   *
   * @param connection The number of the connection.
   * @param index How many messages of the connection come before.
   * @returns The time.
   */
  dueAt(connection: number, index: number): number {
    return this.#dueOf(index * this.#plan.connections + connection);
  }

  /** Counts a message of a load with a rate that has fallen due. */
  fallDue(): void {
    this.#inFlight++;
  }

  /**
   * Counts messages that are in flight no more.
   *
   * @param count How many.
   */
  release(count: number): void {
    this.#inFlight -= count;
    if (!this.sending && this.#inFlight === 0) this.#idle.resolve();
  }

  /**
   * Ends the sending.
   *
   * @param at When it ends: where all that was scheduled was sent, only when the next message would be due.
   */
  endSending(at = performance.now()): void {
    if (!this.sending) return;
    this.sending = false;
    this.ended = Math.min(at, this.end);
    this.#sent.resolve();
    this.#over.abort();
    this.release(0);
  }

  /** Ends the sending, because the load is ended early. */
  stop(): void {
    this.#stopped.abort();
    this.endSending();
  }

  /** When the message after the last one of a load with a rate would be due. */
  get scheduledEnd(): number {
    return this.#dueOf(this.scheduled);
  }

  get #warmupMessages(): number {
    return Math.ceil(this.#plan.warmup * (this.#plan.rate ?? 0) / 1000);
  }

  #dueOf(message: number): number {
    return this.#start + message * 1000 / this.#plan.rate!;
  }
}
