/**
 * A report as one self-contained HTML page: a table and three charts, readable offline.
 *
 * @module
 */

import { formatCount } from "../../lib/units.ts";
import { chartData } from "./chart_data.ts";
import { type PageFigure, renderPage } from "./html_page.ts";
import { type ReportSeries, spanOf } from "./series.ts";
import { summaryTable } from "./table.ts";

const FIGURES: readonly PageFigure[] = [
  {
    id: "percentiles",
    title: "Latency by percentile",
    text: "How long the slowest messages took: each step to the right leaves a tenth of them.",
    kind: {
      x: { label: "percentile", scale: "percentile" },
      y: { label: "latency", scale: "logLatency" },
      spanGaps: true,
    },
  },
  {
    id: "distribution",
    title: "Distribution of latencies",
    text: "What share of the messages took how long.",
    kind: {
      x: { label: "latency", scale: "logLatency" },
      y: { label: "share of messages", scale: "share" },
      stepped: true,
    },
  },
  {
    id: "throughput",
    title: "Throughput over time",
    text: "Messages that came back, a second.",
    kind: { x: { label: "seconds since the start", scale: "seconds" }, y: { label: "messages/s", scale: "count" } },
  },
];

/**
 * Writes a report as one HTML page that loads nothing from anywhere.
 *
 * @param series What to compare, at least one.
 * @returns The page.
 */
export function renderReport(series: readonly ReportSeries[]): string {
  const { start, end } = spanOf(series.map(({ intervals }) => spanOf(intervals)));
  const messages = series.reduce((sum, { latencies }) => sum + latencies.count, 0);
  const when = end > start ? `, ${utc(start)} to ${utc(end)} UTC` : "";
  const charts = chartData(series);
  return renderPage({
    title: `Latency report: ${charts.labels.join(", ")}`,
    heading: "Latency report",
    about: `${series.length} series, ${formatCount(messages)} messages${when}`,
    tables: [{ title: "Summary", rows: summaryTable(series) }],
    figures: FIGURES,
    charts: { ...charts },
    notes: ["Latencies have three significant digits."],
  });
}

function utc(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace("T", " ");
}
