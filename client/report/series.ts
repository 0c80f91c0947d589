/**
 * What a report compares: the latencies of loads, each with its messages over time.
 *
 * @module
 */

import { escapeControls } from "../../lib/escape.ts";
import type { LatencyRecorder } from "../measure/latency.ts";

/** How many messages came back in a span of time. */
export interface ReportInterval {
  /** When it began, in milliseconds since 1970. */
  start: number;
  /** When it ended, in milliseconds since 1970. */
  end: number;
  /** How many messages. */
  count: number;
}

/** One of the loads that a report compares. */
export interface ReportSeries {
  /** What it is called. */
  label: string;
  /** The latencies of all its messages. */
  latencies: LatencyRecorder;
  /** Its messages over time, in any order; intervals may overlap, as those of two machines do. */
  intervals: ReportInterval[];
}

/**
 * Tells how a report calls its series.
 *
 * @param series The series.
 * @returns A label for each, free of control characters, no two of them equal.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LatencyRecorder } from "../measure/latency.ts";
 * const series = ["a\n", "a\\n", "b"].map((label) => ({ label, latencies: new LatencyRecorder(), intervals: [] }));
 * assertEquals(shownLabels(series), ["a\\n", "a\\n (2)", "b"]);
 * ```
 */
export function shownLabels(series: readonly ReportSeries[]): string[] {
  const taken = new Set<string>();
  return series.map(({ label }) => {
    const escaped = escapeControls(label);
    let shown = escaped;
    for (let number = 2; taken.has(shown); number++) shown = `${escaped} (${number})`;
    taken.add(shown);
    return shown;
  });
}

/**
 * Tells when something was measured at all.
 *
 * @param intervals The intervals.
 * @returns The start of the first one and the end of the last, in milliseconds since 1970; infinite where there is none.
 */
export function spanOf(intervals: Iterable<Pick<ReportInterval, "start" | "end">>): { start: number; end: number } {
  let start = Infinity, end = -Infinity;
  for (const interval of intervals) {
    start = Math.min(start, interval.start);
    end = Math.max(end, interval.end);
  }
  return { start, end };
}

/**
 * Tells for how long something was measured: the time within any of the intervals, without what lies between them, as
 * where two servers took turns.
 *
 * @param intervals The intervals, in any order.
 * @returns Milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(timeWithin([{ start: 5000, end: 6000 }, { start: 0, end: 2000 }, { start: 1000, end: 3000 }]), 4000);
 * ```
 */
export function timeWithin(intervals: Iterable<Pick<ReportInterval, "start" | "end">>): number {
  let [time, until] = [0, -Infinity];
  for (const { start, end } of [...intervals].sort((a, b) => a.start - b.start)) {
    time += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return time;
}
