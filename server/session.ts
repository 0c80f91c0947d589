/**
 * A conversation as the server knows it.
 *
 * @module
 */

import type { Endpoint, MessageConn, StreamConn } from "../lib/transport/mod.ts";
import type { Progress } from "./services/service.ts";
import type { Subscribers } from "./events.ts";

/** A connection that is being served, and what was counted on it. */
export class Session implements Progress {
  /** Messages answered: what one read returned, each, or whole messages. */
  messages = 0;
  /** Bytes answered. */
  bytes = 0;
  busy = false;
  /** When it began, on the clock of `performance.now()`. */
  readonly startedAt: number = performance.now();
  #subscribers: Subscribers;

  /**
   * Begins a session.
   *
   * @param number Its number, from 1 on.
   * @param endpoint Where it was accepted.
   * @param conn The connection.
   * @param subscribers Told of each answer.
   */
  constructor(
    readonly number: number,
    readonly endpoint: Endpoint,
    readonly conn: StreamConn | MessageConn,
    subscribers: Subscribers,
  ) {
    this.#subscribers = subscribers;
  }

  answered(message: Uint8Array): void {
    this.messages++;
    this.bytes += message.length;
    if (!this.#subscribers.wantsEchoed) return;
    this.#subscribers.tell({
      type: "echoed",
      endpoint: this.endpoint,
      connection: this.number,
      peer: this.conn.remoteAddr,
      message,
      offset: this.bytes - message.length,
    });
  }

  /** Closes the connection. Deno lets a pending write live on until the client reads or goes, so nothing waits for it. */
  close(): void {
    try {
      this.conn.close();
    } catch {
      // It is closed already.
    }
  }
}
