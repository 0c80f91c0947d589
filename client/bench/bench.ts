/**
 * A load on an echo server, to be embedded.
 *
 * @module
 */

import { type Endpoint, isStream } from "../../lib/transport/mod.ts";
import { type LatencySummary, latencySummary } from "../measure/summary.ts";
import { canBeNative } from "./load/native/engine.ts";
import type { LoadPlan } from "./load/plan.ts";
import { runLoad } from "./load/threads.ts";
import type { BenchSummary } from "./result.ts";
import { BenchTally, type MeasuredInterval } from "./tally.ts";

/** What came back in a span of time, usually a second. */
export interface BenchInterval {
  /** When it began, in milliseconds since 1970. */
  start: number;
  /** When it ended, in milliseconds since 1970. */
  end: number;
  /** How many messages were answered. */
  messages: number;
  /** How many bytes came back. */
  bytes: number;
  /** The latencies in microseconds; `null` where nothing was answered. */
  latency_us: LatencySummary | null;
}

/** What a load is. All times are in milliseconds. */
export interface BenchOptions {
  /** How many connections, or sockets of datagrams, are kept busy. Default: 1. */
  connections?: number;
  /** The size of a message in bytes. Default: 64. */
  size?: number;
  /** How many messages are in flight on each connection; each answer brings the next message. Default: 1. */
  depth?: number;
  /**
   * How many messages are sent a second on all connections together, evenly, whether or not answers come. Each latency
   * then counts from when its message was due. Default: none; `depth` decides.
   */
  rate?: number;
  /** How long messages are sent. Default: 10,000. */
  duration?: number;
  /** How many messages are sent, in place of a duration. */
  messages?: number;
  /** How long messages are sent before any count. Default: 0. */
  warmup?: number;
  /** How many threads share the connections. Default: 1. */
  threads?: number;
  /**
   * What opens the sockets. `auto` is straight on the system calls, in workers of their own, for TCP and UDP on Linux where
   * FFI is permitted, and else as `portable`: through the runtime, and in the caller's thread where one is enough. Default:
   * `auto`.
   */
  engine?: "auto" | "portable";
  /** Whether every byte that comes back is compared. Default: `true`. */
  verify?: boolean;
  /** Whether connections that fail or break are replaced. Default: `false`. */
  reconnect?: boolean;
  /**
   * Bounds connecting, of each connection and of all where none succeeds; how long a connection may owe answers and send
   * none; and how long answers are awaited after the last message was sent. Default: 5000.
   */
  timeout?: number;
  /** After how long a datagram that was not answered is lost. Default: 1000. */
  wait?: number;
  /** Ends the load early, with the result so far. */
  signal?: AbortSignal;
  /** Told when all is connected, with the time from which on messages will count, in milliseconds since 1970. */
  onStart?: (start: number) => void;
  /** Told of what came back in each second of the measurement, when that second is over. */
  onInterval?: (interval: BenchInterval) => void;
}

/** The least that each figure of a load may be. */
const LEAST = {
  connections: 1,
  size: 0,
  depth: 1,
  duration: 0,
  messages: 1,
  warmup: 0,
  threads: 1,
  timeout: 1,
  wait: 1,
};

/**
 * Puts an echo server under load and measures what it takes, how long it takes, and whether every byte comes back.
 *
 * @param endpoint The server.
 * @param options The load.
 * @returns What came of it.
 * @throws {RangeError} If a figure of the load is out of range.
 * @throws {MeariError} If no connection could be made, or nothing be sent on any.
 * @throws What a callback throws; it ends the load.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { bench } from "@meari/meari/client";
 * import { startServer } from "@meari/meari/server";
 *
 * await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
 * const result = await bench(server.endpoints[0]!, { connections: 8, messages: 1000 });
 * assertEquals([result.messages, result.lost, result.errors], [1000, 0, {}]);
 * console.log(`${result.messages_per_s} messages a second, p99 ${result.latency_us?.p99} us`);
 * ```
 */
export async function bench(endpoint: Endpoint, options: BenchOptions = {}): Promise<BenchSummary> {
  const { onInterval } = options;
  return await measure(endpoint, {
    ...options,
    onInterval: onInterval && (({ start, end, latencies, bytes }) => {
      onInterval({ start, end, messages: latencies.count, bytes, latency_us: latencySummary(latencies) });
    }),
  });
}

/** A load whose intervals are wanted with all of their latencies. */
export interface MeasureOptions extends Omit<BenchOptions, "onInterval"> {
  /** Told of each second of the measurement, when it is over. */
  onInterval?: (interval: MeasuredInterval) => void;
}

/**
 * Does what {@linkcode bench} does.
 *
 * @param endpoint The server.
 * @param options The load.
 * @returns What came of it.
 * @throws What {@linkcode bench} throws.
 */
export async function measure(endpoint: Endpoint, options: MeasureOptions): Promise<BenchSummary> {
  const plan = planOf(endpoint, options);
  const threads = Math.min(options.threads ?? 1, plan.connections);
  const tally = new BenchTally(plan, threads, options.onInterval);
  await runLoad(plan, {
    threads,
    signal: options.signal ?? new AbortController().signal,
    onStart: (begin) => {
      tally.begin(begin + plan.warmup);
      options.onStart?.(begin + plan.warmup);
    },
    onReport: (thread, report) => tally.add(thread, report),
  });
  return tally.end();
}

/**
 * Fills in what is not said of a load.
 *
 * @param endpoint The server.
 * @param options The load.
 * @returns All of the load.
 * @throws {RangeError} If a figure is out of range.
 */
export function planOf(endpoint: Endpoint, options: Omit<BenchOptions, "onInterval">): LoadPlan {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as keyof typeof LEAST] ?? least;
    if (!(value >= least)) throw new RangeError(`${name} is ${value}; it must be at least ${least}`);
  }
  const { connections = 1, rate, messages } = options;
  const plan: LoadPlan = {
    endpoint,
    native: options.engine !== "portable" && canBeNative(endpoint),
    connections,
    first: 0,
    count: connections,
    size: options.size ?? 64,
    depth: options.depth ?? 1,
    rate,
    duration: messages === undefined ? options.duration ?? 10_000 : Infinity,
    messages,
    warmup: options.warmup ?? 0,
    verify: options.verify ?? true,
    reconnect: options.reconnect ?? false,
    timeout: options.timeout ?? 5000,
    wait: options.wait ?? 1000,
  };
  if (rate !== undefined && !(rate > 0)) throw new RangeError(`rate is ${rate}; it must be above 0`);
  if (plan.size === 0 && isStream(endpoint)) throw new RangeError("size is 0; a stream carries no empty messages");
  return plan;
}
