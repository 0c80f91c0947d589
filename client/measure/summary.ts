/**
 * Summaries of latencies, in the shapes in which reports and `--json` have them.
 *
 * @module
 */

import type { LatencyRecorder } from "./latency.ts";

/** The round-trip times of a ping, in microseconds. */
export interface RttSummary {
  /** The shortest. */
  min: number;
  /** The arithmetic mean. */
  mean: number;
  /** The 50th percentile. */
  median: number;
  /** The 90th percentile. */
  p90: number;
  /** The 99th percentile. */
  p99: number;
  /** The longest. */
  max: number;
  /** The standard deviation of the sample. */
  stddev: number;
}

/**
 * Sums up round-trip times as `meari ping` reports them.
 *
 * @param latencies The round-trip times.
 * @returns The summary in microseconds; `null` where nothing was recorded.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LatencyRecorder } from "./latency.ts";
 * const latencies = new LatencyRecorder();
 * for (const ns of [1000, 1002, 1004]) latencies.record(ns);
 * assertEquals(rttSummary(latencies)?.mean, 1.002);
 * assertEquals(rttSummary(latencies)?.stddev, 0.002);
 * ```
 */
export function rttSummary(latencies: LatencyRecorder): RttSummary | null {
  if (latencies.count === 0) return null;
  const { min, mean, max, stddev } = latencies;
  const [median, p90, p99] = [50, 90, 99].map((p) => latencies.percentile(p)) as [number, number, number];
  return { min, mean, median, p90, p99, max, stddev };
}

/** The latencies of a load, in microseconds. */
export interface LatencySummary {
  /** The shortest. */
  min: number;
  /** The arithmetic mean. */
  mean: number;
  /** The 50th percentile. */
  p50: number;
  /** The 90th percentile. */
  p90: number;
  /** The 99th percentile. */
  p99: number;
  /** The 99.9th percentile. */
  p99_9: number;
  /** The 99.99th percentile. */
  p99_99: number;
  /** The 99.999th percentile. */
  p99_999: number;
  /** The longest. */
  max: number;
}

/**
 * Sums up latencies as `meari bench` and `meari report` report them.
 *
 * @param latencies The latencies.
 * @returns The summary in microseconds; `null` where nothing was recorded.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LatencyRecorder } from "./latency.ts";
 * const latencies = new LatencyRecorder();
 * latencies.record(2500);
 * assertEquals(latencySummary(latencies)?.p99_9, 2.5);
 * ```
 */
export function latencySummary(latencies: LatencyRecorder): LatencySummary | null {
  if (latencies.count === 0) return null;
  const { min, mean, max } = latencies;
  const at = (p: number) => latencies.percentile(p);
  return {
    min,
    mean,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p99_9: at(99.9),
    p99_99: at(99.99),
    p99_999: at(99.999),
    max,
  };
}
