/**
 * A report as one self-contained HTML page: a table and three charts, readable offline.
 *
 * @module
 */

// Named here so that `deno compile` embeds the package; its browser files are read below.
import "uplot";
import { createHash } from "node:crypto";
import type { LatencyRecorder } from "../measure/latency.ts";
import { latencySummary } from "../measure/summary.ts";
import { formatDuration } from "../../lib/units.ts";
import { VERSION } from "../../lib/version.ts";
import { drawCharts } from "./charts.js";

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
  /** What the report calls it; free of control characters. */
  label: string;
  /** The latencies of all its messages. */
  latencies: LatencyRecorder;
  /** Its messages over time, in any order; intervals may overlap, as those of two machines do. */
  intervals: readonly ReportInterval[];
}

/** The charts of a report, as uPlot takes them: the places on the x axis, then a row of values for each series. */
export interface ReportCharts {
  /** What each series is called. */
  labels: string[];
  /** The decimal logarithm of the latency in microseconds by −log10(1 − p), for the percentile 100 p. */
  percentiles: (number | null)[][];
  /** The percentage of messages by the decimal logarithm of the latency in microseconds, from there to the next. */
  distribution: (number | null)[][];
  /** Messages a second by the seconds since the series began. */
  throughput: (number | null)[][];
}

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * Sums up the series of a report in a table.
 *
 * @param series The series.
 * @returns The head of the table, and then a row for each series: its label, the count of its messages, how many came a
 * second between its first interval and its last, and its latencies.
 */
export function summaryTable(series: readonly ReportSeries[]): string[][] {
  const head = ["", "messages", "messages/s", "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"];
  const rows = series.map(({ label, latencies, intervals }) => {
    const { start, end } = spanOf(intervals);
    const rate = end > start ? GROUPED.format(latencies.count / (end - start) * 1000) : "–";
    const times = Object.values(latencySummary(latencies) ?? {}) as number[];
    const cells = times.length > 0 ? times.map((us) => formatDuration(us / 1000)) : Array(9).fill("–");
    return [label, GROUPED.format(latencies.count), rate, ...cells];
  });
  return [head, ...rows];
}

/** From the start of the first interval to the end of the last. */
function spanOf(intervals: readonly ReportInterval[]): { start: number; end: number } {
  let start = Infinity, end = -Infinity;
  for (const interval of intervals) {
    start = Math.min(start, interval.start);
    end = Math.max(end, interval.end);
  }
  return { start, end };
}

/**
 * Writes a report as one HTML page that loads nothing from anywhere.
 *
 * @param series What to compare, at least one.
 * @returns The page.
 */
export function renderReport(series: readonly ReportSeries[]): string {
  const [head, ...rows] = summaryTable(series) as [string[], ...string[][]];
  const { start, end } = spanOf(series.flatMap(({ intervals }) => intervals));
  const messages = series.reduce((sum, { latencies }) => sum + latencies.count, 0);
  const when = end > start ? `, ${utc(start)} to ${utc(end)} UTC` : "";
  const cell = (text: string) => `<td>${escapeHtml(text.replace(/us$/, "µs"))}</td>`;
  const charts: ReportCharts = {
    labels: series.map(({ label }) => label),
    percentiles: percentileChart(series),
    distribution: distributionChart(series),
    throughput: throughputChart(series),
  };
  const script = `${asset("dist/uPlot.iife.min.js")}
/* ${asset("LICENSE")} */
(${drawCharts})(JSON.parse(document.getElementById("charts").textContent));`;
  const hash = createHash("sha256").update(script).digest("base64");

  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="meari ${VERSION}">
<title>Latency report: ${escapeHtml(charts.labels.join(", "))}</title>
<style>
${asset("dist/uPlot.min.css")}
${STYLE}
</style>
</head>
<body>
<header>
<h1>Latency report</h1>
<p>${series.length} series, ${GROUPED.format(messages)} messages${when}</p>
</header>
<section class="table" tabindex="0" aria-label="Summary">
<table>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
<tbody>
${
    rows.map(([label = "", ...cells], index) =>
      `<tr><th scope="row"><span class="swatch series-${index % 6}"></span>${escapeHtml(label)}</th>${
        cells.map(cell).join("")
      }</tr>`
    ).join("\n")
  }
</tbody>
</table>
</section>
${
    FIGURES.map(([id, title, text]) =>
      `<figure>
<figcaption><h2>${title}</h2><p>${text}</p></figcaption>
<div id="${id}" role="img" aria-label="${title}; the table gives the figures"></div>
</figure>`
    ).join("\n")
  }
<noscript><p>The charts need JavaScript; the table does not.</p></noscript>
<footer>
<p>Move over a chart to read its values, drag to zoom in, double-click to zoom out, click a name to hide its line.
Latencies have three significant digits. Made by meari ${VERSION}.</p>
</footer>
<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</body>
</html>
`;
}

const FIGURES = [
  [
    "percentiles",
    "Latency by percentile",
    "How long the slowest messages took: each step to the right leaves a tenth of them.",
  ],
  ["distribution", "Distribution of latencies", "What share of the messages took how long."],
  ["throughput", "Throughput over time", "Messages that came back, a second."],
] as const;

/** Each step of the percentile axis is a tenth of a tenth of those messages that are slower. */
const PERCENTILE_STEP = 0.02;

function percentileChart(series: readonly ReportSeries[]): (number | null)[][] {
  const ends = series.map(({ latencies }) => Math.log10(Math.max(latencies.count, 1)));
  const steps = Math.ceil(Math.max(...ends) / PERCENTILE_STEP);
  const regular = Array.from({ length: steps }, (_, index) => round(index * PERCENTILE_STEP));
  // Each line ends where only its slowest message is left.
  const places = [...new Set([...regular, ...ends.map(round)])].sort((a, b) => a - b);
  return [
    places,
    ...series.map(({ latencies }, index) => {
      const end = round(ends[index]!);
      return places.map((place) => {
        if (latencies.count === 0 || place > end) return null;
        return logarithm(place === end ? latencies.max : latencies.percentile(100 - 100 / 10 ** place));
      });
    }),
  ];
}

const BINS = 240;
/** The narrowest bin, as a logarithm: 0.5 %, of which the histogram tells five values apart. */
const NARROWEST_BIN = 0.002;

function distributionChart(series: readonly ReportSeries[]): (number | null)[][] {
  const filled = series.filter(({ latencies }) => latencies.count > 0);
  if (filled.length === 0) return [[], ...series.map(() => [])];
  const low = Math.min(...filled.map(({ latencies }) => logarithm(latencies.min)));
  const high = Math.max(...filled.map(({ latencies }) => logarithm(latencies.max)));
  const width = Math.max((high - low) / BINS, NARROWEST_BIN);
  const bins = Math.floor((high - low) / width) + 1;
  // An empty bin on either side lets each line begin and end on the axis.
  return [
    Array.from({ length: bins + 2 }, (_, index) => round(low + (index - 1) * width)),
    ...series.map(({ latencies }) => {
      const shares = Array<number>(bins + 2).fill(0);
      for (const { ns, count } of latencies.values()) {
        const bin = Math.floor((logarithm(ns / 1000) - low) / width);
        shares[Math.min(Math.max(bin, 0), bins - 1) + 1]! += 100 * count / latencies.count;
      }
      return shares.map(round);
    }),
  ];
}

const MOST_SPANS = 600;

function throughputChart(series: readonly ReportSeries[]): (number | null)[][] {
  const spans = series.map(({ intervals }) => spanOf(intervals));
  const longest = Math.max(...spans.map(({ start, end }) => end - start));
  if (!(longest > 0)) return [[], ...series.map(() => [])];
  const length = 1000 * Math.ceil(longest / 1000 / MOST_SPANS);
  const places = Array.from({ length: Math.ceil(longest / length) }, (_, index) => index * length);
  return [
    places.map((place) => round((place + Math.min(length, longest - place) / 2) / 1000)),
    ...series.map(({ intervals }, index) => {
      const { start, end } = spans[index]!;
      const rates = Array<number>(places.length).fill(0);
      for (const interval of intervals) {
        // An interval that lies in several spans counts in each by the time it spends there.
        const [from, to] = [interval.start - start, interval.end - start];
        for (let span = Math.floor(from / length); span < places.length && span * length < to; span++) {
          const spanEnd = Math.min((span + 1) * length, end - start);
          const overlap = Math.min(to, spanEnd) - Math.max(from, span * length);
          rates[span]! += interval.count * overlap / (to - from) / (spanEnd - span * length) * 1000;
        }
      }
      return rates.map((rate, span) => places[span]! < end - start ? round(rate) : null);
    }),
  ];
}

/** The decimal logarithm of a latency in microseconds; one of 0 counts as 1 ns. */
function logarithm(us: number): number {
  return round(Math.log10(Math.max(us, 0.001)));
}

/** Enough digits for a chart. */
function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

function utc(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace("T", " ");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Reads a file of the uPlot package, which an executable has embedded. */
function asset(path: string): string {
  return Deno.readTextFileSync(new URL(import.meta.resolve(`uplot/${path}`))).trim();
}

// The colours keep apart for the common kinds of colour blindness, and have a contrast of 4.5 and more to the ground.
const STYLE = `:root {
  --ground: #fff; --raised: #f5f6f8; --text: #1c2128; --muted: #59636e; --grid: #d9dee466; --line: #d9dee4;
  --series-0: #0065b3; --series-1: #b84a00; --series-2: #007a58; --series-3: #a8327f; --series-4: #6b5b00; --series-5: #5a4fcf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1d2128; --text: #e6e9ee; --muted: #9da7b3; --grid: #3d444d66; --line: #3d444d;
    --series-0: #5ab4f5; --series-1: #ff9248; --series-2: #3ccf9f; --series-3: #f08fd0; --series-4: #d9c04a; --series-5: #aca5ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 24px clamp(12px, 3vw, 32px); max-width: 1200px;
  background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px;
}
body > * { grid-column: 1 / -1; min-width: 0; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; }
h2 { font-size: 17px; margin: 0; }
p { margin: 0; }
header p, figcaption p, footer { color: var(--muted); font-size: 14px; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.table th, .table td { padding: 8px 12px; text-align: right; white-space: nowrap; }
.table thead th { color: var(--muted); background: var(--raised); font-weight: 500; font-size: 13px; }
.table tbody tr { border-top: 1px solid var(--line); }
.table th:first-child {
  position: sticky; left: 0; background: var(--ground); text-align: left; font-weight: 600;
  max-width: min(320px, 42vw); overflow: hidden; text-overflow: ellipsis;
}
.table thead th:first-child { background: var(--raised); }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; }
${Array.from({ length: 6 }, (_, index) => `.series-${index} { background: var(--series-${index}); }`).join("\n")}
figure { margin: 0; padding: 16px; border: 1px solid var(--line); border-radius: 8px; }
figcaption { margin-bottom: 4px; }
@media (min-width: 900px) { figure:nth-of-type(2), figure:nth-of-type(3) { grid-column: auto; } }
.uplot { font: inherit; width: 100%; }
.u-legend { font-size: 13px; text-align: left; padding-left: 8px; font-variant-numeric: tabular-nums; }
.u-legend th { font-weight: 500; overflow-wrap: anywhere; }
.u-legend td { min-width: 4.5em; }
.u-legend .u-marker { border-radius: 3px; }
.u-select { background: color-mix(in srgb, var(--text) 10%, transparent); }`;
