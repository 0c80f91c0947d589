/**
 * What became of the messages of a load. Times are in milliseconds on the clock of `performance.now()`.
 *
 * @module
 */

import { LatencyRecorder } from "../../measure/latency.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** What was counted besides the answers, as plain data. */
export interface LoadCounts {
  /** Messages that were never answered, or too late. */
  lost: number;
  /** Lost datagrams whose answers came after all. */
  late: number;
  /** Answers to datagrams that were answered already. */
  duplicate: number;
  /** Messages that were neither answered nor lost when the load ended. */
  unfinished: number;
  /** How many bytes of the unfinished messages had come back. */
  unfinishedBytes: number;
  /** Datagrams that came, and for which the receive buffer had no room; counted where links are native. */
  dropped: number;
  /** Connections that could not be made, and datagrams that could not be sent, by cause. */
  refused: Record<string, number>;
  /** Connections that broke, and answers that were wrong, by cause. */
  broken: Record<string, number>;
}

/**
 * Makes counts of nothing.
 *
 * @returns The counts.
 */
export function noCounts(): LoadCounts {
  return { lost: 0, late: 0, duplicate: 0, unfinished: 0, unfinishedBytes: 0, dropped: 0, refused: {}, broken: {} };
}

/** Counts for the part of a load that one thread carries. A message counts if it was due after the warm-up. */
export class LoadCounters {
  /** The latencies since they were last reported. */
  readonly latencies = new LatencyRecorder();
  /** What else was counted so far. */
  readonly counts = noCounts();
  /** When the last answer came, or a part of one. */
  lastAnswer = 0;

  #plan: LoadPlan;
  #schedule: LoadSchedule;

  /**
   * Makes counters.
   *
   * @param plan The load.
   * @param schedule Its schedule, which says from when on messages count.
   */
  constructor(plan: LoadPlan, schedule: LoadSchedule) {
    this.#plan = plan;
    this.#schedule = schedule;
  }

  /**
   * Counts an answer.
   *
   * @param due When the message was due.
   * @param now When the answer came.
   */
  answer(due: number, now: number): void {
    this.lastAnswer = now;
    if (due >= this.#schedule.measureFrom) this.latencies.record(Math.max(0, now - due) * 1e6);
  }

  /**
   * Counts a message that was not answered.
   *
   * @param how What became of it.
   * @param due When it was due.
   */
  miss(how: "lost" | "unfinished", due: number): void {
    if (due >= this.#schedule.measureFrom) this.counts[how]++;
  }

  /**
   * How long the measurement has taken: to the last answer, and no less than messages were sent.
   *
   * @param now The time.
   * @returns The time in milliseconds.
   */
  measured(now: number): number {
    const { sending, ended, measureFrom } = this.#schedule;
    const { messages, rate } = this.#plan;
    // Where the messages are counted, the last answer is the end, not that somebody noticed.
    const sent = sending ? now : messages !== undefined && rate === undefined && this.lastAnswer > 0 ? 0 : ended;
    return Math.max(0, Math.max(this.lastAnswer, sent) - measureFrom);
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
