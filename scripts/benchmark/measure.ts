/**
 * How one load on one server is measured.
 *
 * @module
 */

import type { BenchSummary } from "../../client/bench/result.ts";
import { MeariError } from "../../lib/errors.ts";
import type { Figure, Load } from "./loads.ts";
import type { RunningServer } from "./running_server.ts";

/** How long a load runs before it is measured, in seconds: its generator is new each time, and compiles what it runs. */
const WARMUP = 0.4;

/** From so many connections on a load is measured twice as long, so that each has enough answers. */
const MANY_CONNECTIONS = 1000;

/** What a run of a load may take besides its time, in milliseconds. */
const MOST_BESIDES = 60_000;

/** What carries the loads. */
export interface Generators {
  /** The command that runs the client. */
  meari: readonly string[];
  /** The path of what `connections.c` was compiled to; `undefined` where it could not be. */
  connections: string | undefined;
}

/** What was measured once; `lost` messages were not answered. */
export type Figures = Partial<Record<Figure | "lost", number>>;

/**
 * Tells about how long a measurement takes.
 *
 * @param load The load.
 * @param seconds How long to measure.
 * @returns Seconds.
 */
export function costOf(load: Load, seconds: number): number {
  const opening = load.connections * 100e-6;
  if (load.fresh) return 1.2 + opening;
  return 0.2 + WARMUP + opening + timeOf(load, seconds);
}

/** How long a load is measured, in seconds. */
function timeOf({ connections }: Load, seconds: number): number {
  return connections >= MANY_CONNECTIONS ? 2 * seconds : seconds;
}

/**
 * Measures a load on a server once.
 *
 * @param load The load; not of datagrams where the server takes none.
 * @param server The server.
 * @param generators What carries the load.
 * @param seconds How long to measure.
 * @param signal Ends the measurement.
 * @returns What was measured.
 * @throws {MeariError} If nothing could be measured.
 */
export async function measure(
  load: Load,
  server: RunningServer,
  generators: Generators,
  seconds: number,
  signal: AbortSignal,
): Promise<Figures> {
  const { transport, connections, size, depth } = load;
  const time = timeOf(load, seconds);
  if (load.by === "connections") {
    const [looping, pid] = load.fresh ? [0, server.pid] : [time, 0];
    const args = [server.tcp, connections, looping, pid].map(String);
    return await runForJson([generators.connections!, ...args], time, signal);
  }
  const args = ["bench", `${transport}://127.0.0.1:${server[transport]}`, "--json", "-c", `${connections}`];
  args.push("-s", `${size}`, "--depth", `${depth}`, "-d", `${time}s`, "--warmup", `${WARMUP}s`);
  const result: BenchSummary = await runForJson([...generators.meari, ...args], time, signal);
  const [error] = Object.keys(result.errors);
  if (error !== undefined) throw new MeariError(error);
  const { messages_per_s, bytes_per_s, lost, latency_us } = result;
  return { messages_per_s, bytes_per_s, lost, ...(latency_us && { latency_p99_us: latency_us.p99 }) };
}

/** Runs a program that prints an object of JSON, also where it then tells by its exit code that not all was well. */
async function runForJson<T>([program = "", ...args]: string[], seconds: number, signal: AbortSignal): Promise<T> {
  // One that has aborted already would end nothing.
  signal.throwIfAborted();
  const bounds = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000 + MOST_BESIDES)]);
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: bounds,
    env: { NO_COLOR: "1" },
  });
  const { stdout, stderr } = await command.output();
  signal.throwIfAborted();
  if (bounds.aborted) throw new MeariError("it takes too long");
  const [result, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  if (result!.startsWith("{") && result!.endsWith("}")) return JSON.parse(result!);
  throw new MeariError(said!.split("\n").at(-1) || `${program} failed`);
}
