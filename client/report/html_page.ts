/**
 * A self-contained HTML page of tables and charts, readable offline.
 *
 * @module
 */

// Named here so that `deno compile` embeds the package; its browser files are read below.
import "uplot";
import { escape } from "@std/html/entities";
import { createHash } from "node:crypto";
import { VERSION } from "../../lib/version.ts";
import { drawCharts } from "./charts.js";
import { SERIES_COLORS, STYLE } from "./style.ts";

/** What an axis shows: a scale of `charts.js`. One that begins with `log` takes decimal logarithms. */
export type ChartScale =
  | "percentile"
  | "logLatency"
  | "logCount"
  | "logSize"
  | "logByteRate"
  | "share"
  | "seconds"
  | "count";

/** How a chart is drawn. */
export interface ChartKind {
  /** The axis to the right: how the legend calls it, and what it shows. */
  x: { label: string; scale: ChartScale };
  /** The axis upwards. */
  y: { label: string; scale: ChartScale };
  /** Whether a value holds until the next, as in a histogram. */
  stepped?: boolean;
  /** Whether each value has a dot. */
  pointed?: boolean;
  /** Whether a line goes on over values that are missing. */
  spanGaps?: boolean;
}

/** The rows of charts by their names, as uPlot takes them: the places on the x axis, then a row of values for each series. */
export interface Charts {
  /** What each series is called. */
  labels: string[];
  /** The rows of a chart. */
  [chart: string]: (number | null)[][] | string[];
}

/** A table of a page. */
export interface PageTable {
  /** What it is, for who cannot see it, and as a heading where the page has several. */
  title: string;
  /** What else to know about it. */
  text?: string;
  /** The head, and then the rows: a label, and figures. */
  rows: readonly (readonly string[])[];
}

/** A chart of a page. */
export interface PageFigure {
  /** Which of the charts it is. */
  id: string;
  /** What it shows. */
  title: string;
  /** How to read it. */
  text: string;
  /** How it is drawn. */
  kind: ChartKind;
}

/** What is on a page. */
export interface Page {
  /** The title of the document. */
  title: string;
  /** The heading. */
  heading: string;
  /** The line below it. */
  about: string;
  /** The tables. */
  tables: readonly PageTable[];
  /** The charts, in the order in which they are shown. */
  figures: readonly PageFigure[];
  /** What the charts show. */
  charts: Charts;
  /** What else to say about the figures, at the end: a paragraph each. */
  notes: readonly string[];
}

/**
 * Writes a page that loads nothing from anywhere.
 *
 * @param page What is on it.
 * @returns The HTML.
 */
export function renderPage({ title, heading, about, tables, figures, charts, notes }: Page): string {
  const kinds = Object.fromEntries(figures.map(({ id, kind }) => [id, kind]));
  const script = `${asset("dist/uPlot.iife.min.js")}
/* ${asset("LICENSE")} */
(${drawCharts})(JSON.parse(document.getElementById("charts").textContent), ${JSON.stringify(kinds)});`;
  const hash = createHash("sha256").update(script).digest("base64");

  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="meari ${VERSION}">
<title>${escape(title)}</title>
<style>
${asset("dist/uPlot.min.css")}
${STYLE}
</style>
</head>
<body>
<header>
<h1>${escape(heading)}</h1>
<p>${escape(about)}</p>
</header>
${tables.map((table) => section(table, tables.length > 1, charts.labels)).join("\n")}
${
    figures.map(({ id, title, text }) =>
      `<figure>
<figcaption><h2>${escape(title)}</h2><p>${escape(text)}</p></figcaption>
<div id="${id}" role="img" aria-label="${escape(title)}; the table gives the figures"></div>
</figure>`
    ).join("\n")
  }
<noscript><p>The charts need JavaScript; the table does not.</p></noscript>
<footer>
<p>Move over a chart to read its values, drag to zoom in, double-click to zoom out, click a name to hide its line.</p>
${notes.map((note) => `<p>${escape(note)}</p>`).join("\n")}
<p>Made by meari ${VERSION}.</p>
</footer>
<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** A table; a row that bears the name of a series shows its colour. */
function section(
  { title, text, rows: [head, ...rows] }: PageTable,
  headed: boolean,
  labels: readonly string[],
): string {
  const cell = (text: string) => `<td>${escape(text.replace(/us$/, "µs"))}</td>`;
  const swatch = (label: string) => {
    const series = labels.indexOf(label);
    return series < 0 ? "" : `<span class="swatch series-${series % SERIES_COLORS}"></span>`;
  };
  return `${headed ? `<header><h2>${escape(title)}</h2>${text ? `<p>${escape(text)}</p>` : ""}</header>\n` : ""}\
<section class="table" tabindex="0" aria-label="${escape(title)}">
<table>
<thead><tr>${head!.map((text) => `<th scope="col">${escape(text)}</th>`).join("")}</tr></thead>
<tbody>
${
    rows.map(([label = "", ...cells]) =>
      `<tr><th scope="row">${swatch(label)}${escape(label)}</th>${cells.map(cell).join("")}</tr>`
    ).join("\n")
  }
</tbody>
</table>
</section>`;
}

/** Reads a file of the uPlot package, which an executable has embedded. */
function asset(path: string): string {
  return Deno.readTextFileSync(new URL(import.meta.resolve(`uplot/${path}`))).trim();
}
