/**
 * What a benchmark came to, as data.
 *
 * @module
 */

import { type Spread, spreadOf } from "../../client/bench/compare.ts";
import type { Figure, Load } from "./loads.ts";
import type { Figures } from "./measure.ts";
import type { Server } from "./servers.ts";

/** Figures that were measured several times. */
export type Spreads = Partial<Record<Figure, Spread>>;

/** What a load came to. */
export interface LoadResult extends Pick<Load, "names" | "transport" | "connections" | "size" | "depth"> {
  /** What each server took, by its id. */
  results: Record<string, Spreads>;
  /** How often a server was ahead of each other in the same round: of ours by its id, of the other by its id. */
  ratio: Record<string, Record<string, Spreads>>;
  /** How many messages each server did not answer, where there are any. */
  lost: Record<string, number>;
}

/** What a benchmark came to, as `--json` prints it. */
export interface BenchmarkResult {
  /** The version of meari. */
  meari: string;
  /** When it began, in RFC 3339. */
  time: string;
  /** Where it ran. */
  machine: { processor: string; cores: number; system: string };
  /** How often each load was measured. */
  rounds: number;
  /** How long each time, in seconds. */
  duration_s: number;
  /** What was measured. */
  servers: Pick<Server, "id" | "name" | "version" | "ours">[];
  /** What each load came to. */
  loads: LoadResult[];
  /** What could not be measured, and why. */
  not_measured: string[];
}

/** Of these, less is better. */
const LESS_IS_BETTER: ReadonlySet<string> = new Set<Figure>(["latency_p99_us", "bytes_per_connection"]);

/**
 * Sums up what was measured under a load.
 *
 * @param load The load.
 * @param servers The servers.
 * @param rounds What was measured of each in each round, by its id; `undefined` where that failed.
 * @returns The result. A ratio above 1 says that ours is ahead, whether more or less of the figure is better.
 */
export function summarize(
  load: Load,
  servers: readonly Pick<Server, "id" | "ours">[],
  rounds: ReadonlyMap<string, readonly (Figures | undefined)[]>,
): LoadResult {
  const { names, transport, connections, size, depth } = load;
  const measured = servers.filter(({ id }) => rounds.get(id)?.some((figures) => figures !== undefined));
  const results: LoadResult["results"] = {}, ratio: LoadResult["ratio"] = {}, lost: LoadResult["lost"] = {};
  for (const { id, ours } of measured) {
    const own = rounds.get(id)!;
    results[id] = spreads(own.map((figures) => figures ?? {}));
    const missing = own.reduce((sum, figures) => sum + (figures?.lost ?? 0), 0);
    if (missing > 0) lost[id] = missing;
    if (!ours) continue;
    ratio[id] = {};
    for (const other of measured) {
      if (other.id === id) continue;
      const others = rounds.get(other.id)!;
      ratio[id][other.id] = spreads(own.map((figures, round) => ahead(figures ?? {}, others[round] ?? {})));
    }
  }
  return { names, transport, connections, size, depth, results, ratio, lost };
}

function spreads(rounds: readonly Figures[]): Spreads {
  const names = new Set(rounds.flatMap(Object.keys));
  names.delete("lost");
  const found = [...names].map((name) => [name, spreadOf(rounds.map((figures) => figures[name as Figure] ?? NaN))]);
  return Object.fromEntries(found.filter(([, spread]) => spread !== null));
}

/** How far one is ahead of the other in a round. */
function ahead(ours: Figures, other: Figures): Figures {
  return Object.fromEntries(
    Object.entries(ours).map(([name, value]) => {
      const quotient = value / (other[name as Figure] ?? NaN);
      return [name, LESS_IS_BETTER.has(name) ? 1 / quotient : quotient];
    }),
  );
}
