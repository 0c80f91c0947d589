import type { LoadPlan } from "../../client/bench/schedule.ts";
import { type BenchSummary, BenchTally } from "../../client/bench/result.ts";
import { runLoad } from "../../client/bench/threads.ts";
import type { Endpoint } from "../../lib/endpoint.ts";
import type { HdrInterval } from "../../client/measure/hdr_log_writer.ts";

/** What a test says of a load. */
export interface LoadOptions extends Partial<LoadPlan> {
  threads?: number;
  signal?: AbortSignal;
  onInterval?: (interval: HdrInterval) => void;
}

/** Puts a server under a small load, and sums up. */
export async function load(endpoint: Endpoint, options: LoadOptions): Promise<BenchSummary & { exitCode: number }> {
  const { threads = 1, signal = new AbortController().signal, onInterval, ...rest } = options;
  const plan: LoadPlan = {
    endpoint,
    connections: 1,
    first: 0,
    count: rest.connections ?? 1,
    size: 64,
    depth: 1,
    rate: undefined,
    duration: rest.messages === undefined ? 200 : Infinity,
    messages: undefined,
    warmup: 0,
    verify: true,
    reconnect: false,
    timeout: 5000,
    wait: 1000,
    ...rest,
  };
  const tally = new BenchTally({ endpoint, size: plan.size, threads }, onInterval);
  await runLoad(plan, {
    threads,
    signal,
    onStart: (start) => tally.begin(start + plan.warmup),
    onReport: (thread, report) => tally.add(thread, report),
  });
  tally.close();
  return { ...tally.summary(), exitCode: tally.exitCode };
}
