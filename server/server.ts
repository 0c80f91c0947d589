/**
 * The server: endpoints that are listened on, the connections they accept, and an orderly end.
 *
 * @module
 */

import { type Endpoint, parseEndpoint } from "../lib/endpoint.ts";
import { describeCause } from "../lib/errors.ts";
import type { Ending } from "../lib/cli/messages.ts";
import {
  type DatagramSocket,
  type EndpointOptions,
  listen,
  type Listener,
  type Listening as Bound,
  type StreamConn,
} from "../lib/transport/mod.ts";
import { waitAtMost } from "../lib/wait_at_most.ts";
import { echoDatagrams } from "./services/datagram_echo.ts";
import { EventLimit } from "./views/event_limit.ts";
import type { ServerEvent, Summary } from "./events.ts";
import { echoStream, type StreamEchoOptions, type StreamEchoProgress } from "./services/stream_echo.ts";

/** The options that a server's endpoint may carry behind `?`. */
export const SERVER_ENDPOINT_OPTIONS: EndpointOptions = {
  "no-quit": { help: "--no-quit for this endpoint alone", parse: () => true },
};

/** How a server runs. */
export interface ServerOptions {
  /** What to serve, parsed or as written. Default: TCP and UDP on 127.0.0.1:65456. */
  endpoints?: readonly (Endpoint | string)[];
  /** Whether `quit` alone ends a connection. Default: `true`. An endpoint with `?no-quit` is exempt. */
  quit?: boolean;
  /** Whether the server ends with its first conversation: one connection, or one datagram. Default: `false`. */
  once?: boolean;
  /** How long stopping may take, in milliseconds. Default: 5000. */
  grace?: number;
  /** How many `echoed` events there may be in a second, over all connections. Default: 20. */
  echoedPerSecond?: number;
  /** Told of everything that happens. It must not throw. */
  onEvent?: (event: ServerEvent) => void;
  /** Stops the server when aborted, as {@linkcode Server.stop} does. */
  signal?: AbortSignal;
}

/** How often a stopping server looks which connections have gone quiet, in milliseconds. */
const DRAIN_TICK = 25;

/**
 * After how many looks without a change a connection counts as quiet. Two at least: on a busy machine timers can run
 * before what has arrived meanwhile is read, but not twice in a row.
 */
const QUIET_LOOKS = 2;

/** How long to wait after a failed accept or receive, in milliseconds: the first time, and the most. */
const BACKOFF = { first: 5, most: 1000 };

/** Something that is served and can be closed: a connection or a datagram socket. */
interface Served {
  /** Rises with each message. */
  readonly messages: number;
  /** Whether it holds something that is not wholly echoed yet. */
  readonly busy: boolean;
  /** Closes it because the server stops. */
  end(): void;
}

class Connection implements StreamEchoProgress, Served {
  messages = 0;
  bytes = 0;
  busy = false;
  readonly startedAt = performance.now();

  constructor(readonly number: number, readonly conn: StreamConn, readonly at: Listening) {}

  end(): void {
    this.close();
    this.at.onEnd(this, this.busy ? "cut" : "stopped");
  }

  /** Closes it. Deno lets a pending write live on until the client reads or goes, so nothing may wait for that. */
  close(): void {
    try {
      this.conn.close();
    } catch {
      // It is closed already.
    }
  }
}

/** An endpoint being served, and how. */
interface Listening {
  endpoint: Endpoint;
  echo: StreamEchoOptions<Connection>;
  onEnd: (connection: Connection, how: Ending) => void;
}

/**
 * A running server. Made by {@linkcode startServer}.
 */
export class Server implements AsyncDisposable {
  /** What is served, with the real ports. */
  readonly endpoints: readonly Endpoint[];
  /** Resolves once the server has stopped. Never rejects. */
  readonly finished: Promise<Summary>;

  #options: Required<Omit<ServerOptions, "endpoints" | "signal">>;
  #limit: EventLimit;
  #startedAt = performance.now();
  #listeners = new Set<{ close(): void }>();
  #served = new Set<Served>();
  #sockets: { served: Served; close(): void }[] = [];
  #running: Promise<void>[] = [];
  #connections = 0;
  #messages = 0;
  #bytes = 0;
  #stopping = false;
  #killed = false;
  #stopped = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();

  /** @ignore Use {@linkcode startServer}. */
  constructor(options: ServerOptions, bound: readonly Bound[]) {
    this.#options = {
      quit: options.quit ?? true,
      once: options.once ?? false,
      grace: options.grace ?? 5000,
      echoedPerSecond: options.echoedPerSecond ?? 20,
      onEvent: options.onEvent ?? (() => {}),
    };
    this.#limit = new EventLimit(
      this.#options.echoedPerSecond,
      (messages, bytes) => this.#options.onEvent({ type: "unshown", messages, bytes }),
    );
    this.endpoints = bound.map(({ endpoint }) => endpoint);
    for (const endpoint of this.endpoints) this.#options.onEvent({ type: "listening", endpoint });
    for (const each of bound) {
      if (each.kind === "stream") this.#running.push(this.#accept(each.endpoint, each.listener));
      else if (each.kind === "datagram") this.#running.push(this.#exchange(each.endpoint, each.socket));
    }
    this.finished = this.#finish();
    const { signal } = options;
    const stop = () => this.stop();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    this.finished.then(() => signal?.removeEventListener("abort", stop));
  }

  /**
   * Stops accepting, lets what is in flight be echoed, then closes everything, after the grace time at the latest.
   * Connections on which nothing is happening are closed at once.
   */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#stopped.resolve();
    this.#closeListeners();
    this.#options.onEvent({ type: "stopping", connections: this.#openConnections });
    this.#running.push(this.#drain());
    this.#checkIdle();
  }

  /** Closes everything at once; what is in flight is lost. */
  kill(): void {
    this.stop();
    this.#killed = true;
    for (const served of [...this.#served]) served.end();
  }

  /** Stops the server and waits until it has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  get #openConnections(): number {
    let count = 0;
    for (const served of this.#served) if (served instanceof Connection) count++;
    return count;
  }

  async #finish(): Promise<Summary> {
    await this.#idle.promise;
    await Promise.all(this.#running);
    this.#limit.end();
    const summary = {
      connections: this.#connections,
      messages: this.#messages,
      bytes: this.#bytes,
      duration: performance.now() - this.#startedAt,
    };
    this.#options.onEvent({ type: "stopped", ...summary });
    return summary;
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
  }

  /** With nothing served and nobody to come, the server is done. */
  #checkIdle(): void {
    if (this.#stopping && this.#served.size === 0) this.#idle.resolve();
  }

  /** The first conversation of `--once` has begun: there will be no other. */
  #beginOnly(served: Served): void {
    this.#closeListeners();
    for (const socket of this.#sockets) if (socket.served !== served) socket.close();
  }

  async #accept(endpoint: Endpoint, listener: Listener<StreamConn>): Promise<void> {
    this.#listeners.add(listener);
    const at: Listening = {
      endpoint,
      echo: {
        quit: this.#options.quit && endpoint.options?.["no-quit"] === undefined,
        onEcho: (connection, message) => this.#echoed(connection, message),
      },
      onEnd: (connection, how) => this.#disconnected(connection, how),
    };
    let pause = BACKOFF.first;
    while (this.#listeners.has(listener)) {
      let conn: StreamConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (!this.#listeners.has(listener)) return;
        this.#options.onEvent({ type: "failed", endpoint, operation: "accept", cause: describeCause(error) });
        await this.#backOff(pause);
        pause = Math.min(pause * 2, BACKOFF.most);
        continue;
      }
      if (!this.#listeners.has(listener)) return conn.close();
      pause = BACKOFF.first;
      const connection = new Connection(++this.#connections, conn, at);
      this.#served.add(connection);
      if (this.#options.once) this.#beginOnly(connection);
      this.#serve(connection);
    }
  }

  async #serve(connection: Connection): Promise<void> {
    const { number, conn, at } = connection;
    this.#options.onEvent({ type: "connected", endpoint: at.endpoint, connection: number, peer: conn.remoteAddr });
    let how: Ending;
    try {
      how = await echoStream(conn, connection, at.echo);
    } catch {
      how = "reset";
    }
    connection.close();
    this.#disconnected(connection, how);
  }

  #disconnected(connection: Connection, how: Ending): void {
    if (!this.#served.delete(connection)) return;
    this.#options.onEvent({
      type: "disconnected",
      endpoint: connection.at.endpoint,
      connection: connection.number,
      peer: connection.conn.remoteAddr,
      how,
      messages: connection.messages,
      bytes: connection.bytes,
      duration: performance.now() - connection.startedAt,
    });
    if (this.#options.once) this.stop();
    this.#checkIdle();
  }

  #echoed(connection: Connection, message: Uint8Array): void {
    this.#messages++;
    this.#bytes += message.length;
    if (!this.#limit.pass(message.length)) return;
    this.#options.onEvent({
      type: "echoed",
      endpoint: connection.at.endpoint,
      connection: connection.number,
      peer: connection.conn.remoteAddr,
      message,
      offset: connection.bytes - message.length,
    });
  }

  async #exchange(endpoint: Endpoint, socket: DatagramSocket): Promise<void> {
    let closed = false;
    let pause = BACKOFF.first;
    const close = () => {
      if (closed) return;
      closed = true;
      socket.close();
    };
    const served = { messages: 0, busy: false, end: close };
    this.#served.add(served);
    this.#sockets.push({ served, close });
    await echoDatagrams(socket, {
      isClosed: () => closed,
      onEcho: (message, peer) => {
        served.messages++;
        pause = BACKOFF.first;
        this.#messages++;
        this.#bytes += message.length;
        if (this.#limit.pass(message.length)) {
          this.#options.onEvent({ type: "echoed", endpoint, connection: undefined, peer, message, offset: 0 });
        }
        if (!this.#options.once) return true;
        this.#beginOnly(served);
        return false;
      },
      onFailure: async (operation, error, peer) => {
        this.#options.onEvent({
          type: "failed",
          endpoint,
          operation,
          cause: describeCause(error),
          ...(peer && { peer }),
        });
        if (operation === "send") return;
        await this.#backOff(pause);
        pause = Math.min(pause * 2, BACKOFF.most);
      },
    });
    close();
    this.#served.delete(served);
    if (this.#options.once && served.messages > 0) this.stop();
    this.#checkIdle();
  }

  /** Closes what has gone quiet, until all is closed or the grace time is over. */
  async #drain(): Promise<void> {
    const deadline = performance.now() + this.#options.grace;
    const seen = new Map<Served, { messages: number; quiet: number }>();
    while (this.#served.size > 0 && !this.#killed) {
      for (const served of [...this.#served]) {
        const { messages, busy } = served;
        const last = seen.get(served);
        // What still comes to a datagram socket was not in flight when the server was told to stop.
        const idle = !busy && (last?.messages === messages || !(served instanceof Connection));
        const quiet = last !== undefined && idle ? last.quiet + 1 : 0;
        if (quiet >= QUIET_LOOKS || performance.now() >= deadline) served.end();
        seen.set(served, { messages, quiet });
      }
      await new Promise((resolve) => setTimeout(resolve, DRAIN_TICK));
    }
  }

  /** Waits after a failure; not for long once the server stops. */
  async #backOff(milliseconds: number): Promise<void> {
    const wait = Math.min(milliseconds, this.#stopping ? DRAIN_TICK : Infinity);
    await waitAtMost(wait, this.#stopping ? new Promise(() => {}) : this.#stopped.promise);
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
  const wanted = options.endpoints ?? ["tcp://", "udp://"];
  const bound: Bound[] = [];
  try {
    for (const each of wanted) {
      const about = { options: SERVER_ENDPOINT_OPTIONS, side: "listen" } as const;
      bound.push(await listen(typeof each === "string" ? parseEndpoint(each, about) : each));
    }
  } catch (error) {
    for (const each of bound) (each.kind === "datagram" ? each.socket : each.listener).close();
    throw error;
  }
  return new Server(options, bound);
}
