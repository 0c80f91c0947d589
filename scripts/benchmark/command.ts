/**
 * `deno task benchmark`: from what is asked for to the result.
 *
 * @module
 */

import { cpus } from "node:os";
import { MeariError, UsageError } from "../../lib/errors.ts";
import { VERSION } from "../../lib/version.ts";
import { run } from "../run.ts";
import { runBenchmark, RunningServers, stepsOf, warmUp } from "./benchmark.ts";
import { loadsOf, suits, titleOf } from "./loads.ts";
import type { Generators } from "./measure.ts";
import type { BenchmarkOptions } from "./options.ts";
import { type BenchmarkProgress, secondsOf } from "./progress.ts";
import type { BenchmarkResult } from "./result.ts";
import { ourServers, PEERS, preparePeer, type Server } from "./servers.ts";

/** The commands that run our programs. */
export interface Programs {
  /** The server. */
  server: readonly string[];
  /** The client. */
  client: readonly string[];
}

/**
 * Measures what is asked for. Needs the root of the project as the current directory.
 *
 * @param options What is asked for.
 * @param programs Our programs.
 * @param progress Told how it goes.
 * @param signal Ends it.
 * @returns The result.
 * @throws {MeariError} If none of our servers can be measured, or a signal ends it.
 */
export async function benchmark(
  options: Pick<BenchmarkOptions, "only" | "peers" | "rounds" | "duration">,
  programs: Programs,
  progress: Pick<BenchmarkProgress, "say" | "prepare" | "step">,
  signal: AbortSignal,
): Promise<BenchmarkResult> {
  const { only, peers, rounds } = options;
  const seconds = options.duration / 1000;
  const folder = await Deno.makeTempDir({ prefix: "meari-benchmark-" });
  try {
    await using running = new RunningServers(signal);
    const notMeasured: string[] = [];
    const fail = (what: string, error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof MeariError)) throw error;
      const reason = `${what}: ${error.message}`;
      // What fails in one round often fails in each.
      if (notMeasured.includes(reason)) return;
      notMeasured.push(reason);
      progress.say(`not measured: ${reason}`);
    };
    const compile = ([compiler = "", ...args]: string[]) => run(compiler, args, { signal });

    const descriptors = await descriptorLimit();
    let { loads, tooLarge } = loadsOf(only, descriptors);
    if (tooLarge.length > 0) {
      fail(
        tooLarge.map(titleOf).join(", "),
        new MeariError(`no more than ${descriptors} files may be open (ulimit -n)`),
      );
    }
    const generators: Generators = { meari: programs.client, connections: undefined };
    const helped = loads.filter(({ by }) => by === "connections");
    if (helped.length > 0) {
      const connections = `${folder}/connections`;
      try {
        await compile(["cc", "-O2", "-o", connections, "scripts/peers/connections.c"]);
        generators.connections = connections;
      } catch (error) {
        fail(helped.map(titleOf).join(", "), error);
        loads = loads.filter((load) => !helped.includes(load));
      }
    }

    const servers: Server[] = [];
    const prepare = async (server: Server) => {
      await warmUp(server, running, generators, signal);
      servers.push(server);
    };
    for (const server of await ourServers(programs.server)) {
      progress.prepare(`starting ${server.name}`);
      await prepare(server).catch((error) => fail(server.name, error));
    }
    if (servers.length === 0) throw new MeariError("there is no server of ours to measure");
    for (const id of peers.filter((id) => loads.some((load) => suits(PEERS[id], load)))) {
      progress.prepare(`preparing ${id}`);
      await preparePeer(id, folder, compile).then(prepare).catch((error) => fail(PEERS[id].name, error));
    }
    if (loads.length === 0) throw new UsageError("there is no load to measure");

    const time = new Date().toISOString();
    const planned = { servers, loads, rounds, seconds, generators };
    const steps = stepsOf(planned);
    progress.say(`${steps.length} measurements of ${servers.length} servers, some ${secondsOf(steps)}`);
    const measured = await runBenchmark(planned, running, signal, (index) => progress.step(steps, index), fail);
    return {
      meari: VERSION,
      time,
      machine: {
        processor: cpus()[0]?.model.trim() ?? Deno.build.arch,
        cores: navigator.hardwareConcurrency,
        system: `${Deno.build.os} ${Deno.osRelease()}`,
      },
      rounds,
      duration_s: seconds,
      servers: servers.map(({ id, name, version, ours }) => ({ id, name, version, ours })),
      loads: measured,
      not_measured: notMeasured,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** How many files a program that is started here may have open. */
async function descriptorLimit(): Promise<number> {
  if (Deno.build.os === "windows") return Infinity;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -n"] }).output();
  const limit = new TextDecoder().decode(stdout).trim();
  return limit === "unlimited" ? Infinity : Number(limit);
}
