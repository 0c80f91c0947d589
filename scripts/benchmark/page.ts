/**
 * A benchmark as one self-contained HTML page: its tables, and curves of what grows.
 *
 * @module
 */

import { type PageFigure, renderPage } from "../../client/report/html_page.ts";
import { type Figure, type LoadName, LOADS, titleOf } from "./loads.ts";
import type { BenchmarkResult, LoadResult } from "./result.ts";
import { headline, pointsOf, tablesOf } from "./table.ts";

/** A curve: of which load, over what, and what of it. */
interface Curve extends PageFigure {
  load: LoadName;
  place: (load: LoadResult) => number;
  figure: Figure;
  value: (figure: number) => number;
}

const BY_CONNECTIONS = {
  load: "connections",
  place: ({ connections }: LoadResult) => Math.log10(connections),
} as const;

const CURVES: readonly Curve[] = [
  {
    ...BY_CONNECTIONS,
    id: "rates",
    title: "Messages a second by connections",
    text: LOADS.connections,
    kind: {
      x: { label: "connections", scale: "logCount" },
      y: { label: "messages/s", scale: "count" },
      pointed: true,
    },
    figure: "messages_per_s",
    value: (rate) => rate,
  },
  {
    ...BY_CONNECTIONS,
    id: "latencies",
    title: "99th percentile of latency by connections",
    text: "How long one of a hundred messages takes or longer, under the same load.",
    kind: {
      x: { label: "connections", scale: "logCount" },
      y: { label: "latency", scale: "logLatency" },
      pointed: true,
    },
    figure: "latency_p99_us",
    value: Math.log10,
  },
  {
    load: "payload",
    id: "payloads",
    title: "Bytes a second by payload",
    text: LOADS.payload,
    kind: {
      x: { label: "bytes of a message", scale: "logSize" },
      y: { label: "bytes a second each way", scale: "logByteRate" },
      pointed: true,
    },
    place: ({ size }) => Math.log10(size),
    figure: "bytes_per_s",
    value: Math.log10,
  },
];

/**
 * Writes a benchmark as one HTML page that loads nothing from anywhere.
 *
 * @param benchmark What it came to.
 * @returns The page.
 */
export function renderBenchmark(benchmark: BenchmarkResult): string {
  const { servers, loads } = benchmark;
  const curves = CURVES.filter(({ load }) => pointsOf(loads, load).length > 0);
  const rows = curves.map(({ id, load, place, figure, value }) => {
    const points = pointsOf(loads, load);
    return [id, [
      points.map(place),
      ...servers.map((server) =>
        points.map(({ results }) => {
          const median = results[server.id]?.[figure]?.median;
          return median ? value(median) : null;
        })
      ),
    ]] as const;
  });
  return renderPage({
    title: "Echo servers compared",
    heading: "Echo servers compared",
    about: headline(benchmark),
    tables: tablesOf(benchmark),
    figures: curves,
    charts: { labels: servers.map(({ name }) => name), ...Object.fromEntries(rows) },
    notes: notesOf(benchmark),
  });
}

/**
 * Says what has to be known to read the tables.
 *
 * @param benchmark The benchmark.
 * @returns The lines.
 */
export function notesOf({ servers, loads, not_measured }: BenchmarkResult): string[] {
  const names = (Object.keys(LOADS) as LoadName[]).filter((name) => pointsOf(loads, name).length > 0);
  const lost = loads.flatMap((load) =>
    Object.entries(load.lost).map(([id, count]) =>
      `${titleOf(load)}: ${servers.find((server) => server.id === id)!.name} left ${count} unanswered.`
    )
  );
  return [
    ...names.map((name) => `${name}: ${LOADS[name]}.`),
    ...lost,
    ...not_measured.map((reason) => `Not measured: ${reason}.`),
  ];
}
