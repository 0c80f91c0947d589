/**
 * What all threads of a load tell, put together.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { latencySummary } from "../measure/summary.ts";
import { countCause, noCounts } from "./load/counters.ts";
import type { LoadReport } from "./load/load.ts";
import type { LoadPlan } from "./load/plan.ts";
import type { BenchSummary } from "./result.ts";

/** What all threads measured in a span of time, usually a second. */
export interface MeasuredInterval {
  /** When it began, in milliseconds since 1970. */
  start: number;
  /** When it ended, in milliseconds since 1970. */
  end: number;
  /** The latencies of the answers that came. */
  latencies: LatencyRecorder;
  /** How many bytes came back. */
  bytes: number;
}

/** An interval shorter than this, in milliseconds, is counted to the one before it: the rest after the last second. */
const SHORT_INTERVAL = 500;

/** Puts together what the threads of a load tell. */
export class BenchTally {
  #plan: LoadPlan;
  #onInterval: (interval: MeasuredInterval) => void;
  #latencies = new LatencyRecorder();
  #start = 0;
  #measured = 0;
  #threads: (Pick<LoadReport, "counts" | "partialBytes" | "busy" | "behind"> & { interval: number })[];
  #intervals = new Map<number, { from: number; to: number; latencies: LatencyRecorder; bytes: number }>();

  /**
   * Makes a tally of nothing.
   *
   * @param plan The whole load.
   * @param threads How many threads report.
   * @param onInterval Told of each second of the measurement, in order, once all threads have reported it.
   */
  constructor(plan: LoadPlan, threads: number, onInterval: (interval: MeasuredInterval) => void = () => {}) {
    this.#plan = plan;
    this.#onInterval = onInterval;
    const nothing = { counts: noCounts(), partialBytes: 0, busy: undefined, behind: undefined, interval: 0 };
    this.#threads = Array.from({ length: threads }, () => nothing);
  }

  /**
   * Sets when the measurement begins.
   *
   * @param start The time in milliseconds since 1970.
   */
  begin(start: number): void {
    this.#start = start;
  }

  /**
   * Adds what a thread tells.
   *
   * @param thread The number of the thread.
   * @param report What it tells.
   */
  add(thread: number, { from, to, latencies, counts, partialBytes, busy, behind }: LoadReport): void {
    this.#latencies.add(latencies);
    this.#measured = Math.max(this.#measured, to);
    const number = Math.max(0, Math.round(from / 1000) - (to - from < SHORT_INTERVAL ? 1 : 0));
    const before = this.#threads[thread]!.partialBytes;
    this.#threads[thread] = { counts, partialBytes, busy, behind, interval: number };
    const interval = this.#intervals.get(number) ?? { from, to, latencies: new LatencyRecorder(), bytes: 0 };
    this.#intervals.set(number, interval);
    interval.from = Math.min(interval.from, from);
    interval.to = Math.max(interval.to, to);
    interval.latencies.add(latencies);
    interval.bytes += latencies.count * this.#plan.size + partialBytes - before;
    this.#tell(Math.min(...this.#threads.map(({ interval }) => interval)));
  }

  /**
   * Ends the tally: tells of the intervals that are left, and sums up.
   *
   * @returns The result.
   */
  end(): BenchSummary {
    this.#tell(Infinity);
    const { endpoint, size, native } = this.#plan;
    const seconds = this.#measured / 1000;
    const messages = this.#latencies.count;
    const sum = (name: "lost" | "late" | "duplicate" | "unfinished" | "unfinishedBytes" | "dropped") =>
      this.#threads.reduce((total, { counts }) => total + counts[name], 0);
    const refused = this.#causes("refused");
    const bytes = messages * size + sum("unfinishedBytes");
    const [busy, behind] = [this.#most("busy"), this.#most("behind")];
    return {
      endpoint: formatEndpoint(endpoint),
      messages,
      bytes,
      duration_s: round(seconds, 6),
      messages_per_s: seconds > 0 ? round(messages / seconds, 1) : 0,
      bytes_per_s: seconds > 0 ? Math.round(bytes / seconds) : 0,
      lost: sum("lost"),
      late: sum("late"),
      duplicate: sum("duplicate"),
      unfinished: sum("unfinished"),
      unfinished_bytes: sum("unfinishedBytes"),
      refused: Object.values(refused).reduce((total, count) => total + count, 0),
      errors: { ...refused, ...this.#causes("broken") },
      busy: busy === null ? null : round(busy, 3),
      behind_us: behind === null ? null : round(behind * 1000, 1),
      dropped: native ? sum("dropped") : null,
      latency_us: latencySummary(this.#latencies),
    };
  }

  /** The most of all threads; `null` where none tells. */
  #most(name: "busy" | "behind"): number | null {
    const known = this.#threads.map((thread) => thread[name] ?? -1);
    return Math.max(...known) < 0 ? null : Math.max(...known);
  }

  #causes(kind: "refused" | "broken"): Record<string, number> {
    const causes: Record<string, number> = {};
    for (const { counts } of this.#threads) {
      for (const [cause, count] of Object.entries(counts[kind])) countCause(causes, cause, count);
    }
    return causes;
  }

  /** Tells of the intervals before one of which something may still come. */
  #tell(before: number): void {
    for (const [number, { from, to, latencies, bytes }] of [...this.#intervals].sort(([a], [b]) => a - b)) {
      if (number >= before) return;
      this.#intervals.delete(number);
      // What had come back of a message that is lost since does not count any more.
      this.#onInterval({ start: this.#start + from, end: this.#start + to, latencies, bytes: Math.max(0, bytes) });
    }
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
