/**
 * The server: endpoints that are listened on, what serves them, and an orderly end.
 *
 * @module
 */

import { parseEndpoint } from "../lib/endpoint.ts";
import { describeCause } from "../lib/errors.ts";
import type { Endpoint, Listener, Listening, MessageConn, StreamConn } from "../lib/transport/mod.ts";
import { DatagramServer } from "./datagrams.ts";
import { drain } from "./drain.ts";
import { type EventType, type Snapshot, type Subscriber, Subscribers, type Summary } from "./events.ts";
import { DatagramGuard, type DatagramRefusal } from "./guard/datagram_guard.ts";
import { acceptAll, listenAtAll } from "./listener.ts";
import { serveMessages } from "./messages.ts";
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
  /** Told of everything that happens, from the beginning on; {@linkcode Server.subscribe} adds more of them. */
  subscribers?: readonly Subscriber[];
  /** Stops the server when aborted, as {@linkcode Server.stop} does. */
  signal?: AbortSignal;
}

/** An echo server. Nothing happens before {@linkcode Server.start}. */
export class Server implements AsyncDisposable {
  #options: ServerOptions;
  #subscribers = new Subscribers();
  #registry = new Registry(this.#subscribers);
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
   * @returns Ends the subscription.
   */
  subscribe(subscriber: Subscriber, types?: readonly EventType[]): () => void {
    return this.#subscribers.add(subscriber, types);
  }

  /**
   * Tells how the server stands.
   *
   * @returns The counters.
   */
  snapshot(): Snapshot {
    const { open, total, answered } = this.#registry;
    let { messages, bytes } = answered;
    const refused: Partial<Record<DatagramRefusal, number>> = {};
    for (const socket of this.#datagrams) {
      messages += socket.answered.messages;
      bytes += socket.answered.bytes;
      for (const [reason, count] of socket.refused) refused[reason] = (refused[reason] ?? 0) + count;
    }
    const now = this.#stoppedAt ?? performance.now();
    const duration = now - (this.#startedAt ?? now);
    return { open: open.size, connections: total, messages, bytes, refused, duration };
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
      this.#serve(await listenAtAll(endpoints.map((each) => [each].flat().map(parsed))));
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
      this.#subscribers.tell({ type: "stopping", connections: this.#registry.open.size });
      await drain(() => this.#served, (served) => this.#close(served), this.#options.grace ?? 5000);
      await Promise.all(this.#accepting);
      this.#stoppedAt = performance.now();
    }
    const { open: _, ...summary } = this.snapshot();
    if (this.#state === "serving") this.#subscribers.tell({ type: "stopped", ...summary });
    this.#finished.resolve(summary);
  }

  #serve(listening: readonly Listening[]): void {
    const { quit = true, once } = this.#options;
    const subscribers = this.#subscribers;
    this.#startedAt = performance.now();
    this.#endpoints = listening.map(({ endpoint }) => endpoint);
    for (const endpoint of this.#endpoints) subscribers.tell({ type: "listening", endpoint });
    const guard = new DatagramGuard(listening.flatMap((each) => each.kind === "datagram" ? [each.socket.addr] : []));
    const onAnswered = () => {
      if (!once) return;
      this.#beginOnly();
      this.stop();
    };
    for (const each of listening) {
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
        if (this.#options.once) this.#beginOnly();
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
