/**
 * The portable engine: what Deno has for every system serves every transport.
 *
 * @module
 */

import { describeCause } from "../lib/errors.ts";
import type { Address, Endpoint, Listener, Listening, MessageConn, StreamConn } from "../lib/transport/mod.ts";
import { DatagramServer } from "./datagrams.ts";
import { drain } from "./drain.ts";
import type { Subscribers } from "./events.ts";
import { DatagramGuard, type DatagramRefusal } from "./guard/datagram_guard.ts";
import { acceptAll } from "./listener.ts";
import type { SharedCounters } from "./native/shared_counters.ts";
import { Registry } from "./registry.ts";
import { serveMessages } from "./services/messages.ts";
import type { ServiceEnding } from "./services/service.ts";
import { services } from "./services/table.ts";
import type { Session } from "./session.ts";

/** How the portable engine serves. */
export interface PortableEngineOptions {
  /** What is served. It is the engine's from now on. */
  listening: readonly Listening[];
  /** Whether `quit` alone ends a conversation, unless an endpoint says no. */
  quit: boolean;
  /** Where all sockets of datagrams of the server are bound, also those that others serve. */
  datagramAddresses: readonly Address[];
  /** What the engines of the server count together. */
  counters: SharedCounters;
  /** Whether the server ends with its first conversation. */
  once: boolean;
  /** Told of what happens. */
  subscribers: Subscribers;
  /** Told when the first conversation of a server that ends with it has begun. */
  onBegun: () => void;
  /** Told when it has ended. */
  onEnded: () => void;
}

/** Serves over what Deno has, from its start to its end. */
export class PortableEngine {
  #options: PortableEngineOptions;
  #registry: Registry;
  #datagrams: DatagramServer[] = [];
  #accepting: Promise<void>[] = [];
  /** Aborted where nobody is to be let in any more. */
  #closing = new AbortController();

  /**
   * Starts to serve.
   *
   * @param options What.
   */
  constructor(options: PortableEngineOptions) {
    const { listening, quit, datagramAddresses, counters, subscribers } = options;
    this.#options = options;
    this.#registry = new Registry(subscribers, () => counters.nextConnection());
    const guard = new DatagramGuard(datagramAddresses);
    for (const each of listening) {
      const { endpoint } = each;
      const service = services.echo.create(endpoint.options ?? {}, { quit });
      if (each.kind === "datagram") {
        const onAnswered = () => this.#answered();
        const server = new DatagramServer(each.socket, { endpoint, service, guard, subscribers, onAnswered });
        this.#datagrams.push(server);
        // Not waited for: a send may wait for a peer, and stopping never depends on one.
        server.run();
      } else if (each.kind === "stream") {
        this.#accept(endpoint, each.listener, (conn, session) => service.serveStream(conn, session));
      } else this.#accept(endpoint, each.listener, (conn, session) => serveMessages(conn, service, session));
    }
  }

  /** How many connections are open. */
  get open(): number {
    return this.#registry.open.size;
  }

  /** How many connections there were. */
  get connections(): number {
    return this.#registry.total;
  }

  /** What was answered. */
  get answered(): { /** Messages. */ messages: number; /** Bytes. */ bytes: number } {
    let { messages, bytes } = this.#registry.answered;
    for (const { answered } of this.#datagrams) {
      messages += answered.messages;
      bytes += answered.bytes;
    }
    return { messages, bytes };
  }

  /** How many datagrams were not answered, by reason. */
  get refused(): ReadonlyMap<DatagramRefusal, number> {
    const refused = new Map<DatagramRefusal, number>();
    for (const socket of this.#datagrams) {
      for (const [reason, count] of socket.refused) refused.set(reason, (refused.get(reason) ?? 0) + count);
    }
    return refused;
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#closing.abort();
    for (const socket of this.#datagrams) socket.close();
  }

  /**
   * Lets nobody in any more, lets what is in flight be answered, then ends everything.
   *
   * @param grace How long that may take, in milliseconds.
   */
  async stop(grace: number): Promise<void> {
    this.#closing.abort();
    await drain(() => this.#served, (served) => this.#end(served), grace);
    await Promise.all(this.#accepting);
  }

  /** Ends everything at once. */
  kill(): void {
    for (const served of this.#served) this.#end(served);
  }

  /** What is still served. */
  get #served(): readonly (Session | DatagramServer)[] {
    return [...this.#registry.open, ...this.#datagrams.filter(({ closed }) => !closed)];
  }

  #end(served: Session | DatagramServer): void {
    if (served instanceof DatagramServer) served.close();
    else this.#registry.stop(served);
  }

  #answered(): void {
    const { once, counters, onBegun, onEnded } = this.#options;
    // A worker may have begun a conversation just before.
    if (!once || !counters.claimFirst()) return;
    onBegun();
    onEnded();
  }

  #accept<C extends StreamConn | MessageConn>(
    endpoint: Endpoint,
    listener: Listener<C>,
    serve: (conn: C, session: Session) => Promise<ServiceEnding>,
  ): void {
    const { once, counters, subscribers, onBegun, onEnded } = this.#options;
    this.#accepting.push(acceptAll(listener, {
      signal: this.#closing.signal,
      onConnection: async (conn) => {
        if (once) {
          if (!counters.claimFirst()) return conn.close();
          onBegun();
        }
        const session = this.#registry.begin(endpoint, conn);
        const how = await serve(conn, session).catch(() => "reset" as const);
        this.#registry.end(session, how);
        if (once) onEnded();
      },
      onFailure: (error) =>
        subscribers.tell({ type: "failed", endpoint, operation: "accept", cause: describeCause(error) }),
    }));
  }
}
