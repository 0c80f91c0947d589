/**
 * A report as one self-contained HTML page: a table and three charts, readable offline.
 *
 * @module
 */

// Named here so that `deno compile` embeds the package; its browser files are read below.
import "uplot";
import { escape } from "@std/html/entities";
import { createHash } from "node:crypto";
import { VERSION } from "../../lib/version.ts";
import { chartData } from "./chart_data.ts";
import { drawCharts } from "./charts.js";
import { type ReportSeries, spanOf } from "./series.ts";
import { SERIES_COLORS, STYLE } from "./style.ts";
import { summaryTable } from "./table.ts";
import { formatCount } from "../../lib/units.ts";

/**
 * Writes a report as one HTML page that loads nothing from anywhere.
 *
 * @param series What to compare, at least one.
 * @returns The page.
 */
export function renderReport(series: readonly ReportSeries[]): string {
  const [head, ...rows] = summaryTable(series) as [string[], ...string[][]];
  const { start, end } = spanOf(series.map(({ intervals }) => spanOf(intervals)));
  const messages = series.reduce((sum, { latencies }) => sum + latencies.count, 0);
  const when = end > start ? `, ${utc(start)} to ${utc(end)} UTC` : "";
  const cell = (text: string) => `<td>${escape(text.replace(/us$/, "µs"))}</td>`;
  const charts = chartData(series);
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
<title>Latency report: ${escape(charts.labels.join(", "))}</title>
<style>
${asset("dist/uPlot.min.css")}
${STYLE}
</style>
</head>
<body>
<header>
<h1>Latency report</h1>
<p>${series.length} series, ${formatCount(messages)} messages${when}</p>
</header>
<section class="table" tabindex="0" aria-label="Summary">
<table>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
<tbody>
${
    rows.map(([label = "", ...cells], index) =>
      `<tr><th scope="row"><span class="swatch series-${index % SERIES_COLORS}"></span>${escape(label)}</th>${
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

function utc(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace("T", " ");
}

/** Reads a file of the uPlot package, which an executable has embedded. */
function asset(path: string): string {
  return Deno.readTextFileSync(new URL(import.meta.resolve(`uplot/${path}`))).trim();
}
