import { bench, type BenchOptions, planOf } from "../../client/bench/bench.ts";
import { type BenchSummary, exitCodeOf } from "../../client/bench/result.ts";
import type { Endpoint } from "../../lib/endpoint.ts";
import { bounded, type BoundedTest } from "./bounded.ts";

/** Puts a server under a load, a short one where nothing else is said; returns the result and the exit code for it. */
export async function load(endpoint: Endpoint, options: BenchOptions): Promise<BenchSummary & { exitCode: number }> {
  const summary = await bench(endpoint, { duration: 200, ...options });
  return { ...summary, exitCode: exitCodeOf(summary) };
}

/** What may open the sockets to an endpoint: `portable`, and `auto` where that is something else. */
export function enginesFor(endpoint: Endpoint): NonNullable<BenchOptions["engine"]>[] {
  return planOf(endpoint, {}).native ? ["auto", "portable"] : ["portable"];
}

/** Registers a test of loads over TCP and UDP, with each engine that there is for them. */
export function boundedOnEach(name: string, run: (load_: typeof load) => Promise<void>, about: BoundedTest = {}): void {
  for (const engine of enginesFor({ transport: "tcp", host: "127.0.0.1", port: 7 })) {
    const withEngine: typeof load = (endpoint, options) => load(endpoint, { engine, ...options });
    bounded(`${name} (${engine === "auto" ? "native" : engine})`, () => run(withEngine), about);
  }
}
