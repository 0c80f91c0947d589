/**
 * Pictures of latencies for a terminal.
 *
 * @module
 */

import type { LatencyRecorder } from "./latency.ts";
import { formatDuration } from "../../lib/units.ts";

/** A range of a histogram for people. */
export interface LatencyBucket {
  /** Where it begins, in nanoseconds; a latency of exactly this is in it. */
  from: number;
  /** Where it ends, in nanoseconds; a latency of exactly this is not in it. */
  to: number;
  /** How many latencies it holds. */
  count: number;
}

/** The steps within a decade in which buckets may grow, the finest first: the preferred numbers that people expect. */
const DECADES = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1],
];

/**
 * Sorts latencies into ranges with round edges: equally wide ones where the longest latency is no more than five times
 * the shortest, ones that grow with the latency otherwise.
 *
 * @param latencies The latencies.
 * @param most How many ranges there may be, 16 or more.
 * @returns The ranges, adjacent and ascending; none where nothing was recorded.
 */
export function bucketLatencies(latencies: LatencyRecorder, most: number): LatencyBucket[] {
  if (latencies.count === 0) return [];
  const [min, max] = [latencies.min, latencies.max].map((us) => Math.max(Math.round(us * 1000), 1)) as [number, number];
  const edges = max <= 5 * min ? evenEdges(min, max, most) : growingEdges(min, max, most);
  const buckets = edges.slice(1).map((to, index) => ({ from: edges[index]!, to, count: 0 }));
  let index = 0;
  for (const { ns, count } of latencies.values()) {
    while (index < buckets.length - 1 && ns >= buckets[index]!.to) index++;
    buckets[index]!.count += count;
  }
  return buckets;
}

/** No narrower than a 400th of the values: a range is to hold several of those that the histogram tells apart. */
function evenEdges(min: number, max: number, most: number): number[] {
  for (let power = 1;; power *= 10) {
    for (const step of [power, 2 * power, 5 * power]) {
      const first = Math.floor(min / step), length = Math.floor(max / step) - first + 2;
      if (step >= max / 400 && length <= most + 1) return Array.from({ length }, (_, index) => (first + index) * step);
    }
  }
}

function growingEdges(min: number, max: number, most: number): number[] {
  const choices = DECADES.map((steps) => {
    const edges: number[] = [];
    for (let power = 10 ** Math.floor(Math.log10(min)); edges.length === 0 || edges.at(-1)! <= max; power *= 10) {
      for (const edge of steps.map((step) => Math.round(step * power * 10) / 10)) {
        if (edge <= min) edges.length = 0;
        if (edges.length === 0 || edges.at(-1)! <= max) edges.push(edge);
      }
    }
    return edges;
  });
  return choices.find((edges) => edges.length <= most + 1) ?? choices.at(-1)!;
}

/** Bars that cannot grow to this many columns show no distribution. */
const SHORTEST_BAR = 8;

/**
 * Draws a histogram for a terminal: a line a range, with its limits, a bar, its count and its share. The counts are left
 * out where they would take the room of the bars.
 *
 * @param latencies The latencies.
 * @param width How many columns a line may take, 40 or more.
 * @returns The lines; none where nothing was recorded.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LatencyRecorder } from "./latency.ts";
 * const latencies = new LatencyRecorder();
 * for (const ns of [99_900, 100_100, 100_100]) latencies.record(ns);
 * assertEquals(histogramLines(latencies, 44), [
 *   " 99.5us – 100.0us ████████         1  33.3 %",
 *   "100.0us – 100.5us ████████████████ 2  66.7 %",
 * ]);
 * ```
 */
export function histogramLines(latencies: LatencyRecorder, width: number): string[] {
  const buckets = bucketLatencies(latencies, 20);
  if (buckets.length === 0) return [];
  const edges = edgeLabels([buckets[0]!.from, ...buckets.map((bucket) => bucket.to)]);
  const most = Math.max(...buckets.map((bucket) => bucket.count));
  const heads = buckets.map((_, index) => `${edges[index]} – ${edges[index + 1]} `);
  const shares = buckets.map(({ count }) => ` ${(100 * count / latencies.count).toFixed(1).padStart(5)} %`);
  const counts = buckets.map(({ count }) => ` ${String(count).padStart(String(most).length)}`);
  const roomBeside = (...columns: string[][]) => width - columns.reduce((sum, [cell]) => sum + cell!.length, 0);
  const counted = roomBeside(heads, counts, shares) >= SHORTEST_BAR;
  const room = Math.max(counted ? roomBeside(heads, counts, shares) : roomBeside(heads, shares), 1);
  return buckets.map(({ count }, index) =>
    heads[index]! + bar(count / most, room).padEnd(room) + (counted ? counts[index]! : "") + shares[index]!
  );
}

/** Writes edges in nanoseconds, right-aligned: all in one unit where they are of one magnitude, else each in its own. */
function edgeLabels(edges: readonly number[]): string[] {
  const last = edges.at(-1)!;
  const [unit, size] = last < 1e6 ? ["us", 1e3] as const : last < 1e9 ? ["ms", 1e6] as const : ["s", 1e9] as const;
  const decimals = Math.max(...edges.map((edge) => String(edge / size).split(".")[1]?.length ?? 0));
  const labels = edges.map((edge) =>
    last < 10 * edges[0]! ? (edge / size).toFixed(decimals) + unit : formatDuration(edge / 1e6)
  );
  const width = Math.max(...labels.map((label) => label.length));
  return labels.map((label) => label.padStart(width));
}

/** A bar of a share of some columns, to an eighth of a column; one that stands for anything at all can be seen. */
function bar(share: number, columns: number): string {
  const eighths = share === 0 ? 0 : Math.max(Math.round(share * columns * 8), 1);
  return "█".repeat(Math.floor(eighths / 8)) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
}

/**
 * Draws the latest of some values in one line, from the lowest of them to the highest.
 *
 * @param values The values; `NaN` stands for one that is missing and leaves a gap.
 * @param width How many columns the line may take, one a value.
 * @returns The line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(sparkline([9, 1, 2, NaN, 8], 4), "▁▂ █");
 * ```
 */
export function sparkline(values: readonly number[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const present = shown.filter((value) => !Number.isNaN(value));
  const lowest = Math.min(...present), range = Math.max(...present) - lowest;
  return shown.map((value) =>
    Number.isNaN(value) ? " " : "▁▂▃▄▅▆▇█"[range === 0 ? 0 : Math.round(7 * (value - lowest) / range)]
  ).join("");
}
