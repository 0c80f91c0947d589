/**
 * The benchmark itself: every load on every server, in turn.
 *
 * @module
 */

import { type Load, suits, titleOf } from "./loads.ts";
import { costOf, type Figures, type Generators, measure } from "./measure.ts";
import { type LoadResult, summarize } from "./result.ts";
import { RunningServer } from "./running_server.ts";
import type { Server } from "./servers.ts";

/** What is measured. */
export interface Benchmark {
  /** The servers, ours among them. */
  servers: readonly Server[];
  /** The loads. */
  loads: readonly Load[];
  /** How often each load is measured on each server. */
  rounds: number;
  /** How long each time, in seconds. */
  seconds: number;
  /** What carries the loads. */
  generators: Generators;
}

/** One measurement. */
export interface Step {
  /** From 0. */
  round: number;
  /** The load. */
  load: Load;
  /** The server. */
  server: Server;
  /** About how many seconds it takes. */
  cost: number;
}

/**
 * Plans a benchmark: in each round every load, under each load every server that it suits, and another one first each time,
 * so that none always meets the machine as the same other has left it.
 *
 * @param benchmark What is measured.
 * @returns The measurements in their order.
 */
export function stepsOf({ servers, loads, rounds, seconds }: Omit<Benchmark, "generators">): Step[] {
  const steps: Step[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [index, load] of loads.entries()) {
      const suited = servers.filter((server) => suits(server, load));
      const first = (round + index) % suited.length;
      for (const server of [...suited.slice(first), ...suited.slice(0, first)]) {
        steps.push({ round, load, server, cost: costOf(load, seconds) });
      }
    }
  }
  return steps;
}

/** The servers that run. */
export class RunningServers implements AsyncDisposable {
  #running = new Map<string, RunningServer>();
  #signal: AbortSignal;

  /** @param signal Ends the waits for servers that start. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Gives a server, started where it does not run.
   *
   * @param server Which.
   * @returns The server.
   * @throws {MeariError} If it does not start.
   */
  async get(server: Server): Promise<RunningServer> {
    const running = this.#running.get(server.id) ?? await RunningServer.start(server, this.#signal);
    this.#running.set(server.id, running);
    return running;
  }

  /**
   * Ends a server, so that the next to ask for it gets another one.
   *
   * @param server Which.
   */
  async end(server: Server): Promise<void> {
    const running = this.#running.get(server.id);
    this.#running.delete(server.id);
    await running?.[Symbol.asyncDispose]();
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running[Symbol.asyncDispose]()));
  }
}

/** What a server serves before it is measured: one that compiles what it runs has done so then. */
const WARMUP = { names: [], size: 64, depth: 1, by: "bench" } as const;

/**
 * Lets a server serve a little.
 *
 * @param server Which.
 * @param running The servers that run.
 * @param generators What carries the load.
 * @param signal Ends it.
 * @throws {MeariError} If it does not start, or does not serve.
 */
export async function warmUp(
  server: Server,
  running: RunningServers,
  generators: Generators,
  signal: AbortSignal,
): Promise<void> {
  const started = await running.get(server);
  const connections = server.forks ? 1 : 8;
  await measure({ ...WARMUP, transport: "tcp", connections }, started, generators, 0.1, signal);
  if (started.udp === undefined) return;
  await measure({ ...WARMUP, transport: "udp", connections }, started, generators, 0.1, signal);
}

/**
 * Runs a benchmark.
 *
 * @param benchmark What is measured.
 * @param running The servers that run; they have served a little already.
 * @param signal Ends it.
 * @param onStep Told of each measurement before it begins, by its place in {@linkcode stepsOf}.
 * @param onFailure Told what could not be measured, and why; what it throws ends the benchmark.
 * @returns What each load came to.
 * @throws What a callback throws.
 */
export async function runBenchmark(
  benchmark: Benchmark,
  running: RunningServers,
  signal: AbortSignal,
  onStep: (index: number) => void,
  onFailure: (what: string, error: unknown) => void,
): Promise<LoadResult[]> {
  const { servers, loads, generators, seconds } = benchmark;
  const measured = new Map(loads.map((load) => [load, new Map<string, (Figures | undefined)[]>()]));
  for (const [index, step] of stepsOf(benchmark).entries()) {
    const { load, server, round } = step;
    onStep(index);
    const rounds = measured.get(load)!.get(server.id) ?? [];
    measured.get(load)!.set(server.id, rounds);
    try {
      if (load.fresh) {
        await using fresh = await RunningServer.start(server, signal);
        rounds[round] = await measure(load, fresh, generators, seconds, signal);
      } else rounds[round] = await measure(load, await running.get(server), generators, seconds, signal);
    } catch (error) {
      onFailure(`${server.name}, ${titleOf(load)}`, error);
      rounds[round] = undefined;
      await running.end(server);
    }
  }
  return loads.map((load) => summarize(load, servers, measured.get(load)!));
}
