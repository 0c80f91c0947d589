/**
 * The course of a load on one thread: which messages are due and when, and the books of what became of them. Times are
 * in milliseconds on the clock of `performance.now()`.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { LatencyRecorder } from "../measure/latency.ts";

/** The part of a load that one thread carries, as plain data. Times are in milliseconds. */
export interface LoadPlan {
  /** Whom to put under load. */
  endpoint: Endpoint;
  /** How many connections the whole load has; each has a number. */
  connections: number;
  /** The number of this thread's first connection. */
  first: number;
  /** How many connections this thread has. */
  count: number;
  /** The size of a message in bytes. */
  size: number;
  /** Messages under way on each connection, where there is no rate. */
  depth: number;
  /** Messages a second of the whole load; `undefined` for a message for each answer. */
  rate: number | undefined;
  /** How long to send; `Infinity` where the messages are counted. */
  duration: number;
  /** How many messages the whole load has; `undefined` where the time counts. */
  messages: number | undefined;
  /** How long to send before the measurement begins. */
  warmup: number;
  /** Whether to look at what comes back. */
  verify: boolean;
  /** Whether to replace connections that fail or break. */
  reconnect: boolean;
  /** Bounds connecting, and how long a connection may owe answers and send none. */
  timeout: number;
  /** After how long a datagram that was not answered is lost. */
  wait: number;
}

/** What went wrong under a load, as plain data. */
export interface Faults {
  /** Messages that were never answered, or too late. */
  lost: number;
  /** Lost datagrams whose answers came after all. */
  late: number;
  /** Datagrams that were answered again. */
  duplicated: number;
  /** Connections that could not be made, by cause. */
  refused: Record<string, number>;
  /** Connections that broke, and answers that were wrong, by cause. */
  broken: Record<string, number>;
}

/** The schedule and the books of the part of a load that one thread carries. */
export class Course {
  /** The latencies since they were last reported. */
  readonly latencies = new LatencyRecorder();
  /** What went wrong so far. */
  readonly faults: Faults = { lost: 0, late: 0, duplicated: 0, refused: {}, broken: {} };
  /** Whether messages are still being sent. */
  sending = true;
  /** From when on messages count: by when they were due, not by when they were answered. */
  measureFrom = Infinity;
  /** Resolves when no more messages are to be sent. */
  readonly sent: Promise<void>;
  /** Resolves when no more messages are to be sent, and none are under way. */
  readonly idle: Promise<void>;

  #plan: LoadPlan;
  #start = Infinity;
  #budget = Infinity;
  #underway = 0;
  #lastAnswer = 0;
  #ended = 0;
  #sent = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.sent = this.#sent.promise;
    this.idle = this.#idle.promise;
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
    this.measureFrom = rate === undefined ? start + warmup : this.#dueOf(this.#warmupMessages(rate));
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
    this.#underway += granted;
    return granted;
  }

  /**
   * How many messages a load with a rate has in all, those of the warm-up included.
   *
   * @returns The number for the whole load, not just this thread.
   */
  get scheduled(): number {
    const { rate = 0, duration, messages } = this.#plan;
    return this.#warmupMessages(rate) + (messages ?? Math.round(duration * rate / 1000));
  }

  /** Counts a message of a load with a rate that has fallen due. */
  fallDue(): void {
    this.#underway++;
  }

  /**
   * When a message of a load with a rate is due.
   *
   * @param connection The number of the connection.
   * @param index How many messages of the connection come before.
   * @returns The time.
   */
  dueAt(connection: number, index: number): number {
    return this.#dueOf(index * this.#plan.connections + connection);
  }

  /**
   * Books an answer.
   *
   * @param due When the message was due.
   * @param now When the answer came.
   */
  answer(due: number, now: number): void {
    this.#lastAnswer = now;
    if (due >= this.measureFrom) this.latencies.record(Math.max(0, now - due) * 1e6);
  }

  /**
   * Books the loss of a message.
   *
   * @param due When it was due.
   */
  lose(due: number): void {
    if (due >= this.measureFrom) this.faults.lost++;
  }

  /**
   * Counts messages that are under way no more.
   *
   * @param count How many.
   */
  release(count: number): void {
    this.#underway -= count;
    if (!this.sending && this.#underway === 0) this.#idle.resolve();
  }

  /** Ends the sending. */
  endSending(): void {
    if (!this.sending) return;
    this.sending = false;
    this.#ended = Math.min(performance.now(), this.end);
    this.#sent.resolve();
    this.release(0);
  }

  /**
   * How long the measurement has taken: to the last answer, and no less than messages were sent.
   *
   * @param now The time.
   * @returns The time in milliseconds.
   */
  measured(now: number): number {
    // Where the messages are counted, the last answer is the end, not that somebody noticed.
    const ended = this.#plan.messages !== undefined && this.#lastAnswer > 0 ? 0 : this.#ended;
    return Math.max(0, Math.max(this.#lastAnswer, this.sending ? now : ended) - this.measureFrom);
  }

  #warmupMessages(rate: number): number {
    return Math.ceil(this.#plan.warmup * rate / 1000);
  }

  #dueOf(message: number): number {
    return this.#start + message * 1000 / this.#plan.rate!;
  }
}

/**
 * Counts a cause.
 *
 * @param causes The counts so far.
 * @param cause The cause.
 * @param count How often.
 */
export function countCause(causes: Record<string, number>, cause: string, count = 1): void {
  causes[cause] = (causes[cause] ?? 0) + count;
}
