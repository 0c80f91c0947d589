/**
 * The comparison of two servers under the same load.
 *
 * @module
 */

import type { BenchSummary } from "./result.ts";

/** A figure that was measured several times. */
export interface Spread {
  /** The middle one; the mean of the two middle ones where their number is even. */
  median: number;
  /** The lowest. */
  min: number;
  /** The highest. */
  max: number;
}

/** The first server in relation to the second, pair by pair; `null` where no pair has both figures. */
export interface Ratios {
  /** Messages a second; above 1 the first is ahead. */
  messages_per_s: Spread | null;
  /** The median latency; below 1 the first is ahead. */
  latency_p50: Spread | null;
  /** The 99th percentile of the latencies; below 1 the first is ahead. */
  latency_p99: Spread | null;
}

/** The results of two servers in the same round. */
export type Pair = readonly [first: BenchSummary, second: BenchSummary];

/**
 * Compares two servers.
 *
 * @param pairs Their results, round by round.
 * @returns The ratios.
 */
export function compare(pairs: readonly Pair[]): Ratios {
  return {
    messages_per_s: ratio(pairs, (summary) => summary.messages_per_s),
    latency_p50: ratio(pairs, (summary) => summary.latency_us?.p50),
    latency_p99: ratio(pairs, (summary) => summary.latency_us?.p99),
  };
}

function ratio(pairs: readonly Pair[], figure: (summary: BenchSummary) => number | undefined): Spread | null {
  return spreadOf(pairs.map(([first, second]) => (figure(first) ?? NaN) / (figure(second) ?? NaN)));
}

/**
 * Sums up a figure that was measured several times.
 *
 * @param values What was measured; what is no finite number is left out.
 * @returns The median and the extremes, with four significant digits; `null` where nothing was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(spreadOf([3, 1, NaN, 2, 10]), { median: 2.5, min: 1, max: 10 });
 * ```
 */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const length = sorted.length;
  if (length === 0) return null;
  const median = (sorted[(length - 1) >> 1]! + sorted[length >> 1]!) / 2;
  const [min, max] = [sorted[0]!, sorted.at(-1)!];
  return { median: round(median), min: round(min), max: round(max) };
}

/**
 * Writes a comparison for people.
 *
 * @param ratios The ratios.
 * @returns The lines.
 */
export function ratioLines(ratios: Ratios): string[] {
  const line = (what: string, ratio: Spread | null) =>
    `  ${what.padEnd(12)} ${ratio ? `${ratio.median} (${ratio.min} to ${ratio.max})` : "not measured"}`;
  return [
    "first / second: median (lowest to highest)",
    line("messages/s", ratios.messages_per_s),
    line("latency p50", ratios.latency_p50),
    line("latency p99", ratios.latency_p99),
  ];
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
