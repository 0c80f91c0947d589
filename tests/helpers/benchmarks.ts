import type { BenchmarkResult } from "../../scripts/benchmark/result.ts";
import { type Load, type LoadName, LOADS, loadsOf } from "../../scripts/benchmark/loads.ts";
import { summarize } from "../../scripts/benchmark/result.ts";
import type { Server } from "../../scripts/benchmark/servers.ts";

/** The loads of some names, all of them where none is named. */
export function someLoads(...names: LoadName[]): Load[] {
  return loadsOf(names.length > 0 ? names : Object.keys(LOADS) as LoadName[], Infinity).loads;
}

/** A server that is never started. */
export function serverOf(id: string, about: Partial<Server> = {}): Server {
  return {
    id,
    name: id.toUpperCase(),
    version: "1.2",
    ours: false,
    forks: false,
    command: () => [],
    ports: /x/,
    ...about,
  };
}

/** A benchmark of three servers, one of them ours, in which the second was twice as fast as ours, and the third failed. */
export function benchmarkOf(...names: LoadName[]): BenchmarkResult {
  const servers = [serverOf("ours", { ours: true, version: "" }), serverOf("twice"), serverOf("broken")];
  const figures = (factor: number) => ({
    messages_per_s: 1000 * factor,
    bytes_per_s: 64_000 * factor,
    latency_p99_us: 100 / factor,
    fairness: 0.5 * factor,
    accepts_per_s: 10_000 * factor,
    bytes_per_connection: 1000 / factor,
  });
  return {
    meari: "0.0.0",
    time: "2026-01-02T03:04:05.000Z",
    machine: { processor: "A processor", cores: 2, system: "linux 6" },
    rounds: 2,
    duration_s: 0.3,
    servers,
    loads: someLoads(...names).map((load) =>
      summarize(
        load,
        servers,
        new Map(Object.entries({
          ours: [figures(1), figures(3)],
          twice: [figures(2), { ...figures(6), lost: 5 }],
          broken: [undefined],
        })),
      )
    ),
    not_measured: ["BROKEN: it <b>does not</b> start"],
  };
}
