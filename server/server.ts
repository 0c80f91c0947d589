/**
 * The server: endpoints that are listened on, what serves them, and an orderly end.
 *
 * @module
 */

import { parseEndpoint } from "../lib/endpoint.ts";
import { describeCause, MeariError } from "../lib/errors.ts";
import {
  type Endpoint,
  isNative,
  listen,
  type Listener,
  type Listening,
  listenNatively,
  type MessageConn,
  type NativeListening,
  type StreamConn,
} from "../lib/transport/mod.ts";
import { DatagramServer } from "./datagrams.ts";
import { drain } from "./drain.ts";
import {
  type Engine,
  type EventRates,
  type EventType,
  type Snapshot,
  type Subscriber,
  Subscribers,
  type Summary,
} from "./events.ts";
import { DatagramGuard, type DatagramRefusal } from "./guard/datagram_guard.ts";
import { acceptAll, listenAtAll } from "./listener.ts";
import { serveMessages } from "./messages.ts";
import { NativeEngine, whyNoEngine } from "./native/engine.ts";
import { COUNTED, REFUSALS, SharedCounters } from "./native/shared_counters.ts";
import { Registry } from "./registry.ts";
import type { ServiceEnding } from "./services/service.ts";
import { serviceOptions, services } from "./services/table.ts";
import type { Session } from "./session.ts";

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
  #counters: SharedCounters;
  #registry: Registry;
  #native: NativeEngine | undefined;
  #endpoints: readonly Endpoint[] = [];
  #startedAt: number | undefined;
  #stoppedAt: number | undefined;
  #accepting: Promise<void>[] = [];
  /** Aborted where nobody is to be let in any more. */
  #closing = new AbortController();
  #datagrams: DatagramServer[] = [];
  #state: "new" | "starting" | "serving" | "over" = "new";
  #stopping = false;
  #finished = Promise.withResolvers<Summary>();

  /**
   * Prepares a server.
   *
   * @param options How it runs.
   */
  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.#counters = new SharedCounters(options.workers ?? 1);
    this.#registry = new Registry(this.#subscribers, () => this.#counters.nextConnection());
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
    const { open, total, answered } = this.#registry;
    const native = this.#counters.sums;
    const [connections, nativeOpen] = [total + native[COUNTED.connections]!, native[COUNTED.open]!];
    let messages = answered.messages + native[COUNTED.messages]!;
    let bytes = answered.bytes + native[COUNTED.bytes]!;
    const refused: Partial<Record<DatagramRefusal, number>> = {};
    const refuse = (reason: DatagramRefusal, count: number) => refused[reason] = (refused[reason] ?? 0) + count;
    for (const [index, reason] of REFUSALS.entries()) {
      const count = native[COUNTED.refused + index]!;
      if (count > 0) refuse(reason, count);
    }
    for (const socket of this.#datagrams) {
      messages += socket.answered.messages;
      bytes += socket.answered.bytes;
      for (const [reason, count] of socket.refused) refuse(reason, count);
    }
    const now = this.#stoppedAt ?? performance.now();
    const duration = now - (this.#startedAt ?? now);
    const replaced = this.#native?.replaced ?? 0;
    return { open: open.size + nativeOpen, connections, messages, bytes, refused, replaced, duration };
  }

  /**
   * Listens at all endpoints and serves them. To be called once; a server that was stopped before serves nothing.
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
      const { why, workers } = this.#chooseEngine(groups.flat());
      const open = (endpoint: Endpoint): Promise<Listening | NativeListening> =>
        workers > 0 && isNative(endpoint) ? listenNatively(endpoint, workers) : listen(endpoint);
      const listening = await listenAtAll(groups, open);
      if (why !== undefined) this.#subscribers.tell({ type: "fallback", cause: why });
      this.#serve(listening);
      this.#state = "serving";
    } catch (error) {
      this.#state = "over";
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
    // While it starts, `start` sees to it.
    if (this.#state !== "starting") this.#end();
  }

  /** Closes everything at once; what is in flight is lost. */
  kill(): void {
    this.stop();
    this.#native?.kill();
    for (const served of this.#served) this.#close(served);
  }

  /** Stops the server and waits until it has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  /** What is still served. */
  get #served(): readonly (Session | DatagramServer)[] {
    return [...this.#registry.open, ...this.#datagrams.filter(({ closed }) => !closed)];
  }

  #close(served: Session | DatagramServer): void {
    if (served instanceof DatagramServer) served.close();
    else this.#registry.stop(served);
  }

  async #end(): Promise<void> {
    if (this.#state === "serving") {
      this.#closing.abort();
      const { grace = 5000 } = this.#options;
      this.#subscribers.tell({ type: "stopping", connections: this.snapshot().open });
      const native = this.#native?.stop(grace);
      await drain(() => this.#served, (served) => this.#close(served), grace);
      await Promise.all([native, ...this.#accepting]);
      this.#stoppedAt = performance.now();
    }
    const { open: _, ...summary } = this.snapshot();
    if (this.#state === "serving") this.#subscribers.tell({ type: "stopped", ...summary });
    this.#finished.resolve(summary);
  }

  /** How many workers serve natively, and why none does where some would. */
  #chooseEngine(endpoints: readonly Endpoint[]): { why?: string; workers: number } {
    const { engine = "auto", workers = 1 } = this.#options;
    if (engine === "portable" || !endpoints.some(isNative)) return { workers: 0 };
    const why = whyNoEngine();
    if (why === undefined) return { workers };
    if (engine === "native") throw new MeariError(`cannot use native sockets: ${why}`);
    return { why, workers: 0 };
  }

  #serve(listening: readonly (Listening | NativeListening)[]): void {
    const { quit = true, once = false, workers = 1 } = this.#options;
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
    const native = listening.filter((each) => each.kind === "native");
    if (native.length > 0) {
      this.#native = new NativeEngine({
        endpoints: native.map((each) => ({ ...each, quit: quit && each.endpoint.options?.["no-quit"] !== true })),
        workers,
        datagramAddresses,
        counters: this.#counters,
        once,
        subscribers,
        onBegun: () => this.#beginOnly(),
        onEnded: () => this.stop(),
      });
    }
    const guard = new DatagramGuard(datagramAddresses);
    const onAnswered = () => {
      // A worker may have begun a conversation just before.
      if (!once || !this.#counters.claimFirst()) return;
      this.#beginOnly();
      this.stop();
    };
    for (const each of listening) {
      if (each.kind === "native") continue;
      const { endpoint } = each;
      const service = services.echo.create(endpoint.options ?? {}, { quit });
      if (each.kind === "datagram") {
        const server = new DatagramServer(each.socket, { endpoint, service, guard, subscribers, onAnswered });
        this.#datagrams.push(server);
        // Not waited for: a send may wait for a peer, and stopping never depends on one.
        server.run();
      } else if (each.kind === "stream") {
        this.#accept(endpoint, each.listener, (conn, session) => service.serveStream(conn, session));
      } else this.#accept(endpoint, each.listener, (conn, session) => serveMessages(conn, service, session));
    }
  }

  #accept<C extends StreamConn | MessageConn>(
    endpoint: Endpoint,
    listener: Listener<C>,
    serve: (conn: C, session: Session) => Promise<ServiceEnding>,
  ): void {
    this.#accepting.push(acceptAll(listener, {
      signal: this.#closing.signal,
      onConnection: async (conn) => {
        if (this.#options.once) {
          if (!this.#counters.claimFirst()) return conn.close();
          this.#beginOnly();
        }
        const session = this.#registry.begin(endpoint, conn);
        const how = await serve(conn, session).catch(() => "reset" as const);
        this.#registry.end(session, how);
        if (this.#options.once) this.stop();
      },
      onFailure: (error) =>
        this.#subscribers.tell({ type: "failed", endpoint, operation: "accept", cause: describeCause(error) }),
    }));
  }

  /** The first conversation of `once` has begun: there will be no other. */
  #beginOnly(): void {
    this.#closing.abort();
    this.#native?.close();
    for (const socket of this.#datagrams) socket.close();
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
