/**
 * The sessions of a server: those that are open, and the sums of those that have ended.
 *
 * @module
 */

import type { Ending } from "../lib/cli/messages.ts";
import type { Endpoint, MessageConn, StreamConn } from "../lib/transport/mod.ts";
import { Session } from "./session.ts";
import type { Subscribers } from "./events.ts";

/** The sessions of a server. */
export class Registry {
  #open = new Set<Session>();
  #total = 0;
  #endedMessages = 0;
  #endedBytes = 0;
  #subscribers: Subscribers;
  #nextNumber: () => number;

  /**
   * @param subscribers Told who came and went.
   * @param nextNumber Numbers the sessions. Default: from 1 on.
   */
  constructor(subscribers: Subscribers, nextNumber: () => number = () => this.#total) {
    this.#subscribers = subscribers;
    this.#nextNumber = nextNumber;
  }

  /** The sessions that are open. */
  get open(): ReadonlySet<Session> {
    return this.#open;
  }

  /** How many sessions there were, open ones included. */
  get total(): number {
    return this.#total;
  }

  /** What was answered, in all sessions. */
  get answered(): { /** Messages. */ messages: number; /** Bytes. */ bytes: number } {
    let messages = this.#endedMessages, bytes = this.#endedBytes;
    for (const session of this.#open) {
      messages += session.messages;
      bytes += session.bytes;
    }
    return { messages, bytes };
  }

  /**
   * Begins a session.
   *
   * @param endpoint Where it was accepted.
   * @param conn The connection.
   * @returns The session.
   */
  begin(endpoint: Endpoint, conn: StreamConn | MessageConn): Session {
    this.#total++;
    const session = new Session(this.#nextNumber(), endpoint, conn, this.#subscribers);
    this.#open.add(session);
    this.#subscribers.tell({ type: "connected", endpoint, connection: session.number, peer: conn.remoteAddr });
    return session;
  }

  /**
   * Ends a session and closes its connection. One that has ended stays as it is.
   *
   * @param session The session.
   * @param how How it ended.
   */
  end(session: Session, how: Ending): void {
    if (!this.#open.delete(session)) return;
    session.close();
    const { number, endpoint, conn, messages, bytes, startedAt } = session;
    this.#endedMessages += messages;
    this.#endedBytes += bytes;
    this.#subscribers.tell({
      type: "disconnected",
      endpoint,
      connection: number,
      peer: conn.remoteAddr,
      how,
      messages,
      bytes,
      duration: performance.now() - startedAt,
    });
  }

  /**
   * Ends a session because the server stops.
   *
   * @param session The session.
   */
  stop(session: Session): void {
    this.end(session, session.busy ? "cut" : "stopped");
  }
}
