import { bench, type BenchOptions } from "../../client/bench/bench.ts";
import { type BenchSummary, exitCodeOf } from "../../client/bench/result.ts";
import type { Endpoint } from "../../lib/endpoint.ts";

/** Puts a server under a load, a short one where nothing else is said; returns the result and the exit code for it. */
export async function load(endpoint: Endpoint, options: BenchOptions): Promise<BenchSummary & { exitCode: number }> {
  const summary = await bench(endpoint, { duration: 200, ...options });
  return { ...summary, exitCode: exitCodeOf(summary) };
}
