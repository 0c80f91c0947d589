/**
 * The tables of a benchmark.
 *
 * @module
 */

import type { PageTable } from "../../client/report/html_page.ts";
import { formatCount, formatDuration, formatSize } from "../../lib/units.ts";
import type { Figure, LoadName } from "./loads.ts";
import type { BenchmarkResult, LoadResult, Spreads } from "./result.ts";

/** What the first table has of which load, and how it calls that. */
const COLUMNS: readonly (readonly [LoadName, Figure, string])[] = [
  ["small", "messages_per_s", "small"],
  ["fair", "fairness", "fair"],
  ["rtt", "messages_per_s", "rtt"],
  ["bulk", "bytes_per_s", "bulk"],
  ["udp", "messages_per_s", "udp"],
  ["udp-rtt", "messages_per_s", "udp-rtt"],
  ["idle", "accepts_per_s", "accepts"],
  ["idle", "bytes_per_connection", "memory"],
];

/** The tables of loads that grow: of which figure, and by what. */
const GROWING: readonly (readonly [LoadName, Figure, string, (load: LoadResult) => string])[] = [
  ["connections", "messages_per_s", "Messages a second by connections", (load) => formatCount(load.connections)],
  [
    "connections",
    "latency_p99_us",
    "99th percentile of latency by connections",
    (load) => formatCount(load.connections),
  ],
  ["payload", "bytes_per_s", "MB a second each way by payload", (load) => formatSize(load.size)],
];

/** A table of a benchmark. */
export interface BenchmarkTable extends PageTable {
  /** Whether its figures are ratios. */
  ratios?: boolean;
}

/** What stands where nothing was measured. */
const NOTHING = "–";

/**
 * Makes the tables of a benchmark.
 *
 * @param benchmark What it came to.
 * @returns The tables, in the order in which they are shown.
 */
export function tablesOf({ servers, loads, rounds }: BenchmarkResult): BenchmarkTable[] {
  const columns = COLUMNS.flatMap(([name, figure, title]) => {
    const load = loads.find(({ names }) => names.includes(name));
    return load === undefined ? [] : [{ load, figure, title }];
  });
  const tables: BenchmarkTable[] = [];
  const head = ["", ...columns.map(({ title }) => title)];
  if (columns.length > 0) {
    const cells = (id: string) => columns.map(({ load, figure }) => cell(load.results[id], figure));
    const text = rounds > 1 ? `medians of ${rounds} rounds` : "one round";
    tables.push({ title: "Loads", text, rows: [head, ...servers.map(({ id, name }) => [name, ...cells(id)])] });
  }
  for (const { id, name } of columns.length > 0 ? servers.filter(({ ours }) => ours) : []) {
    const others = servers.filter((other) => other.id !== id);
    if (others.length === 0) continue;
    const cells = (other: string) =>
      columns.map(({ load, figure }) => load.ratio[id]?.[other]?.[figure]?.median.toFixed(2) ?? NOTHING);
    tables.push({
      title: `${name} beside each other server`,
      text: "above 1 it is ahead",
      ratios: true,
      rows: [head, ...others.map((other) => [other.name, ...cells(other.id)])],
    });
  }
  for (const [name, figure, title, placeOf] of GROWING) {
    const points = pointsOf(loads, name);
    if (points.length === 0) continue;
    const cells = (id: string) => points.map(({ results }) => cell(results[id], figure));
    tables.push({
      title,
      rows: [["", ...points.map(placeOf)], ...servers.map((server) => [server.name, ...cells(server.id)])],
    });
  }
  return tables;
}

/**
 * Gives the points of a load that grows.
 *
 * @param loads What each load came to.
 * @param name Which load.
 * @returns The points, from the least.
 */
export function pointsOf(loads: readonly LoadResult[], name: LoadName): LoadResult[] {
  return loads.filter(({ names }) => names.includes(name)).sort((a, b) =>
    a.connections - b.connections || a.size - b.size
  );
}

function cell(spreads: Spreads | undefined, figure: Figure): string {
  const value = spreads?.[figure]?.median;
  if (value === undefined) return NOTHING;
  switch (figure) {
    case "bytes_per_s":
      return value < 1e8 ? String(Number((value / 1e6).toPrecision(3))) : formatCount(value / 1e6);
    case "bytes_per_connection":
      return (value / 1000).toFixed(1);
    case "fairness":
      return value.toFixed(2);
    case "latency_p99_us":
      return formatDuration(value / 1000);
    default:
      return formatCount(value);
  }
}

/**
 * Says in one line what was measured where.
 *
 * @param benchmark The benchmark.
 * @returns The line.
 */
export function headline({ meari, machine, servers, rounds, duration_s, time }: BenchmarkResult): string {
  const versions = servers.filter(({ version }) => version !== "").map(({ name, version }) => `${name} ${version}`);
  return [
    `meari ${meari}`,
    ...versions,
    machine.processor,
    `${machine.cores} cores`,
    machine.system,
    `${rounds} × ${formatDuration(duration_s * 1000)}`,
    time.slice(0, 10),
  ].join(", ");
}
