/**
 * A peer that gets and answers datagrams. Nothing is sure: a datagram or its echo may be lost, late or doubled.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";
import type { Endpoint } from "../../lib/endpoint.ts";
import { describeCause, errorCode, MeariError } from "../../lib/errors.ts";
import { connectMessages, EndpointError, type MessageConn } from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import type { Echo, EchoPeer, PeerOptions } from "./peer.ts";

/** Larger than any datagram, so that one that is too long shows as different rather than cut. */
const RECEIVE_BUFFER = 256 * 1024;

/** How many earlier messages are remembered, to know their late and doubled echoes. */
const REMEMBERED = 256;

/** A peer that gets and answers datagrams. */
export class DatagramPeer implements EchoPeer {
  /** There is no connection that could end. */
  readonly ended: Promise<undefined> = new Promise<undefined>(() => {});
  surplus = 0;

  #endpoint: Endpoint;
  #conn: MessageConn;
  #options: PeerOptions;
  #waiting: { message: Uint8Array; done: (echo: Echo) => void } | undefined;
  #earlier: Uint8Array[] = [];
  #closed = false;
  #receiving: Promise<void>;

  private constructor(endpoint: Endpoint, conn: MessageConn, options: PeerOptions) {
    this.#endpoint = endpoint;
    this.#conn = conn;
    this.#options = options;
    this.#receiving = this.#receive();
  }

  /**
   * Opens a socket to talk to a peer with; nothing is sent yet.
   *
   * @param endpoint A `udp` or `unixgram` endpoint.
   * @param options How to talk to it.
   * @returns The peer.
   * @throws {MeariError} If there is no such host.
   */
  static async open(endpoint: Endpoint, options: PeerOptions): Promise<DatagramPeer> {
    return new DatagramPeer(endpoint, await connectMessages(endpoint, options), options);
  }

  async exchange(message: Uint8Array): Promise<Echo> {
    const { timeout, retries } = this.#options;
    const { promise, resolve } = Promise.withResolvers<Echo>();
    this.#waiting = { message, done: resolve };
    try {
      for (let attempt = 0; attempt <= retries; attempt++) {
        await this.#send(message);
        const echo = await waitAtMost(timeout, promise);
        if (echo !== undefined) return echo;
      }
      const tries = retries === 0 ? "" : `, sent ${retries + 1} times`;
      return { bytes: new Uint8Array(0), missing: `no echo within ${formatDuration(timeout)}${tries}` };
    } finally {
      this.#settle();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    await this.#receiving;
  }

  async #send(message: Uint8Array): Promise<void> {
    try {
      await this.#conn.send(message);
    } catch (error) {
      const explained = new EndpointError("send to", this.#endpoint, error);
      if (errorCode(error) !== "EMSGSIZE") throw explained;
      throw new MeariError(`${explained.message} (the message has ${message.length} bytes)`, { cause: error });
    }
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(RECEIVE_BUFFER);
    while (!this.#closed) {
      try {
        const datagram = await this.#conn.receive(buffer);
        if (datagram !== null) this.#take(datagram);
      } catch (error) {
        // Some systems report here that nobody listens at the peer's port; it may be back for the next message.
        this.#settle({ bytes: new Uint8Array(0), missing: describeCause(error) });
        if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  #take(datagram: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting && equals(datagram, waiting.message)) return this.#settle({ bytes: waiting.message });
    if (this.#earlier.some((message) => equals(datagram, message))) return;
    if (waiting) return this.#settle({ bytes: datagram.slice() });
    this.surplus += datagram.length;
    this.#options.onSurplus?.(datagram);
  }

  /** Ends the wait for an echo, at once: what comes next, however soon, is not taken for it. */
  #settle(echo?: Echo): void {
    if (this.#waiting === undefined) return;
    const { message, done } = this.#waiting;
    this.#waiting = undefined;
    this.#earlier.push(message);
    if (this.#earlier.length > REMEMBERED) this.#earlier.shift();
    if (echo) done(echo);
  }
}
