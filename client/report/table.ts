/**
 * The table of a report: a line of figures for each series.
 *
 * @module
 */

import { padEnd, textWidth } from "../../lib/cli/text_width.ts";
import { formatCount, formatDuration } from "../../lib/units.ts";
import { latencySummary } from "../measure/summary.ts";
import { type ReportSeries, shownLabels, timeWithin } from "./series.ts";

/**
 * Sums up the series of a report in a table.
 *
 * @param series The series.
 * @returns The head of the table, and then a row for each series: its label, the count of its messages, how many came a
 * second within its intervals, and its latencies.
 */
export function summaryTable(series: readonly ReportSeries[]): string[][] {
  const head = ["", "messages", "messages/s", "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"];
  const labels = shownLabels(series);
  const rows = series.map(({ latencies, intervals }, index) => {
    const measured = timeWithin(intervals);
    const rate = measured > 0 ? formatCount(latencies.count / measured * 1000) : "–";
    const times = Object.values(latencySummary(latencies) ?? {}) as number[];
    const cells = times.length > 0 ? times.map((us) => formatDuration(us / 1000)) : Array(9).fill("–");
    return [labels[index]!, formatCount(latencies.count), rate, ...cells];
  });
  return [head, ...rows];
}

/**
 * Aligns a table for a terminal: labels to the left, figures to the right.
 *
 * @param table The rows, equally long: a label and figures.
 * @returns The lines.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(alignColumns([["", "p50"], ["메아리", "1us"], ["echo", "20us"]]), [
 *   "         p50",
 *   "메아리   1us",
 *   "echo    20us",
 * ]);
 * ```
 */
export function alignColumns(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => textWidth(row[column]!))));
  return table.map(([label = "", ...cells]) =>
    [padEnd(label, widths[0]!), ...cells.map((cell, column) => cell.padStart(widths[column + 1]!))].join("  ")
  );
}
