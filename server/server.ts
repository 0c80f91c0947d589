/**
 * The server: endpoints that are listened on, what serves them, and an orderly end.
 *
 * @module
 */

import { parseEndpoint } from "../lib/endpoint.ts";
import {
  closeListening,
  type Endpoint,
  isNative,
  listen,
  type Listening,
  listenNatively,
  type NativeListening,
} from "../lib/transport/mod.ts";
import {
  type Engine,
  type EventRates,
  type EventType,
  type Snapshot,
  type Subscriber,
  Subscribers,
  type Summary,
} from "./events.ts";
import type { DatagramRefusal } from "./guard/datagram_guard.ts";
import { listenAtAll } from "./listener.ts";
import { chooseEngine, NativeEngine } from "./native/engine.ts";
import { SharedCounters } from "./native/shared_counters.ts";
import { PortableEngine } from "./portable_engine.ts";
import { serviceOptions } from "./services/table.ts";

/** How a server runs. */
export interface ServerOptions {
  /**
   * What to serve, parsed or as written; those of a list in the list get one port in common where they ask for port 0.
   * Default: TCP and UDP on 127.0.0.1:65456.
   */
  endpoints?: readonly (Endpoint | string | readonly (Endpoint | string)[])[];
  /** Whether `quit` alone ends a connection. Default: `true`. An endpoint with `?no-quit` is exempt. */
  quit?: boolean;
  /** Whether the server ends with its first conversation: one connection, or one datagram. Default: `false`. */
  once?: boolean;
  /** How long stopping may take, in milliseconds. Default: 5000. */
  grace?: number;
  /**
   * What serves: `native` is Linux's own calls, for TCP and UDP, `portable` what Deno has for every system, `auto` the first
   * where it can be had. Default: `auto`.
   */
  engine?: Engine | "auto";
  /** How many workers of the native engine share what comes. Default: 1. */
  workers?: number;
  /** Told of everything that happens, from the beginning on; {@linkcode Server.subscribe} adds more of them. */
  subscribers?: readonly Subscriber[];
  /** Stops the server when aborted, as {@linkcode Server.stop} does. */
  signal?: AbortSignal;
}

/** An echo server. Nothing happens before {@linkcode Server.start}. */
export class Server implements AsyncDisposable {
  #options: ServerOptions;
  #subscribers = new Subscribers();
  #engines: readonly (PortableEngine | NativeEngine)[] = [];
  #endpoints: readonly Endpoint[] = [];
  #startedAt: number | undefined;
  #stoppedAt: number | undefined;
  #state: "new" | "starting" | "serving" = "new";
  #stopping = false;
  /** Aborted where it is told to stop while it starts. */
  #starting = new AbortController();
  #finished = Promise.withResolvers<Summary>();

  /**
   * Prepares a server.
   *
   * @param options How it runs.
   */
  constructor(options: ServerOptions = {}) {
    this.#options = options;
    for (const subscriber of options.subscribers ?? []) this.subscribe(subscriber);
  }

  /** What is served, with the real ports. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Resolves once the server has stopped. Never rejects. */
  get finished(): Promise<Summary> {
    return this.#finished.promise;
  }

  /**
   * Tells what happens from now on.
   *
   * @param subscriber Told of each event. What it throws is reported as an uncaught exception is.
   * @param types The kinds of event to tell it of. Default: all.
   * @param perSecond How many of a kind it has use for in a second. It may get more; but where all subscribers are content
   * with less than happens, the rest may just be counted, and told as `omitted`. Default: all.
   * @returns Ends the subscription.
   */
  subscribe(subscriber: Subscriber, types?: readonly EventType[], perSecond?: Partial<EventRates>): () => void {
    return this.#subscribers.add(subscriber, types, perSecond);
  }

  /**
   * Tells how the server stands.
   *
   * @returns The counters.
   */
  snapshot(): Snapshot {
    const now = this.#stoppedAt ?? performance.now();
    const refused: Partial<Record<DatagramRefusal, number>> = {};
    const snapshot = { open: 0, connections: 0, messages: 0, bytes: 0, refused, replaced: 0, duration: 0 };
    for (const engine of this.#engines) {
      const { messages, bytes } = engine.answered;
      snapshot.open += engine.open;
      snapshot.connections += engine.connections;
      snapshot.messages += messages;
      snapshot.bytes += bytes;
      for (const [reason, count] of engine.refused) refused[reason] = (refused[reason] ?? 0) + count;
      if (engine instanceof NativeEngine) snapshot.replaced += engine.replaced;
    }
    return { ...snapshot, duration: now - (this.#startedAt ?? now) };
  }

  /**
   * Listens at all endpoints and serves them. To be called once; a server that is stopped before it listens serves nothing.
   *
   * @throws {MeariError} If an endpoint cannot be served; none is then.
   */
  async start(): Promise<void> {
    if (this.#state !== "new") throw new Error("a server starts once");
    const { endpoints = ["tcp://", "udp://"], signal } = this.#options;
    const stop = () => this.stop();
    signal?.addEventListener("abort", stop);
    this.finished.then(() => signal?.removeEventListener("abort", stop));
    if (signal?.aborted) stop();
    if (this.#stopping) return;
    this.#state = "starting";
    try {
      const groups = endpoints.map((each) => [each].flat().map(parsed));
      const { engine = "auto", workers: wanted = 1 } = this.#options;
      const { workers, why } = chooseEngine(engine, wanted, groups.flat());
      const open = (endpoint: Endpoint): Promise<Listening | NativeListening> =>
        workers > 0 && isNative(endpoint) ? listenNatively(endpoint, workers, this.#starting.signal) : listen(endpoint);
      const listening = await listenAtAll(groups, open);
      if (this.#stopping) return listening.forEach(closeListening);
      if (why !== undefined) this.#subscribers.tell({ type: "fallback", cause: why });
      this.#serve(listening, workers);
      this.#state = "serving";
    } catch (error) {
      // Nothing has failed where it waits for a name no longer.
      if (this.#stopping) return;
      this.#stopping = true;
      throw error;
    } finally {
      if (this.#stopping) this.#end();
    }
  }

  /**
   * Stops accepting, lets what is in flight be answered, then closes everything, after the grace time at the latest.
   * Connections on which nothing is happening are closed at once.
   */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#starting.abort();
    // While it starts, `start` sees to it.
    if (this.#state !== "starting") this.#end();
  }

  /** Closes everything at once; what is in flight is lost. */
  kill(): void {
    this.stop();
    for (const engine of this.#engines) engine.kill();
  }

  /** Stops the server and waits until it has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  async #end(): Promise<void> {
    if (this.#state === "serving") {
      const { grace = 5000 } = this.#options;
      this.#subscribers.tell({ type: "stopping", connections: this.snapshot().open });
      await Promise.all(this.#engines.map((engine) => engine.stop(grace)));
      this.#stoppedAt = performance.now();
    }
    const { open: _, ...summary } = this.snapshot();
    if (this.#state === "serving") this.#subscribers.tell({ type: "stopped", ...summary });
    this.#finished.resolve(summary);
  }

  #serve(listening: readonly (Listening | NativeListening)[], workers: number): void {
    const { quit = true, once = false } = this.#options;
    const subscribers = this.#subscribers;
    this.#startedAt = performance.now();
    this.#endpoints = listening.map(({ endpoint }) => endpoint);
    for (const each of listening) {
      const engine = each.kind === "native" ? "native" : "portable";
      const smallBuffer = each.kind === "native" ? each.sockets.smallBuffer : undefined;
      subscribers.tell({ type: "listening", endpoint: each.endpoint, engine, ...(smallBuffer && { smallBuffer }) });
    }
    const datagramAddresses = listening.flatMap((each) => {
      if (each.kind === "datagram") return [each.socket.addr];
      return each.kind === "native" && each.sockets.type === "datagram" ? [each.sockets.addr] : [];
    });
    const common = {
      quit,
      once,
      datagramAddresses,
      subscribers,
      counters: new SharedCounters(workers),
      // The first conversation of `once` has begun: there will be no other.
      onBegun: () => this.#engines.forEach((engine) => engine.close()),
      onEnded: () => this.stop(),
    };
    const native = listening.filter((each) => each.kind === "native");
    const portable = listening.filter((each) => each.kind !== "native");
    this.#engines = [
      ...native.length > 0 ? [new NativeEngine({ ...common, listening: native, workers })] : [],
      ...portable.length > 0 ? [new PortableEngine({ ...common, listening: portable })] : [],
    ];
  }
}

/**
 * Starts a server. It is serving when this returns.
 *
 * @param options How it runs.
 * @returns The running server.
 * @throws {MeariError} If an endpoint cannot be served; none is then.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
 * const endpoint = server.endpoints[0]!;
 * assertEquals(endpoint.transport, "tcp");
 * ```
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  await server.start();
  return server;
}

function parsed(endpoint: Endpoint | string): Endpoint {
  return typeof endpoint === "string" ? parseEndpoint(endpoint, { options: serviceOptions, side: "listen" }) : endpoint;
}
