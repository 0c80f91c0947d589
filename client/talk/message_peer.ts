/**
 * A peer that gets and answers whole messages. Over datagrams nothing is sure: one or its echo may be lost, late or a
 * duplicate.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { delay } from "@std/async/delay";
import { equals } from "@std/bytes/equals";
import { describeCause, errorCode, MeariError } from "../../lib/errors.ts";
import {
  type Endpoint,
  EndpointError,
  isDatagram,
  LARGEST_MESSAGE,
  type MessageConn,
} from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import type { Echo, EchoPeer, PeerOptions } from "./peer.ts";

/** Larger than any message, so that an echo that is too long shows as different rather than cut. */
const RECEIVE_BUFFER = LARGEST_MESSAGE + 1;

/** How many earlier messages are remembered, to know their late and duplicate echoes. */
const REMEMBERED = 256;

/** How long to wait after a failed receive, in milliseconds, lest one that fails at once is tried without pause. */
const RECEIVE_PAUSE = 10;

/** A message that nobody waits for any more. */
interface EarlierMessage {
  message: Uint8Array;
  answered: boolean;
}

/** A peer that gets and answers whole messages. */
export class MessagePeer implements EchoPeer {
  readonly ended: Promise<string | undefined>;
  surplus = 0;

  #endpoint: Endpoint;
  #conn: MessageConn;
  #options: PeerOptions;
  #waiting: PromiseWithResolvers<Echo> & { message: Uint8Array } | undefined;
  #earlier: EarlierMessage[] = [];
  /** What comes for a message once the conversation has ended. */
  #end: Echo | undefined;
  #closed = false;
  #receiving: Promise<void>;

  /**
   * Talks to a peer; nothing is sent yet.
   *
   * @param endpoint Where the peer is.
   * @param conn The conversation with it, which disposing closes.
   * @param options How to talk to it.
   */
  constructor(endpoint: Endpoint, conn: MessageConn, options: PeerOptions) {
    this.#endpoint = endpoint;
    this.#conn = conn;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.ended = promise;
    this.#receiving = this.#receive(resolve);
  }

  async exchange(message: Uint8Array): Promise<Echo> {
    const { timeout, retries, signal } = this.#options;
    signal?.throwIfAborted();
    if (this.#end !== undefined) return this.#end;
    const waiting = { message, ...Promise.withResolvers<Echo>() };
    this.#waiting = waiting;
    try {
      for (let attempt = 0; attempt <= retries; attempt++) {
        // Not awaited: a server that takes nothing may make a send wait.
        this.#send(message).catch(waiting.reject);
        const answered = signal ? abortable(waiting.promise, signal) : waiting.promise;
        const echo = await waitAtMost(timeout, answered);
        if (echo !== undefined) return echo;
      }
      const tries = retries === 0 ? "" : `, sent ${retries + 1} times`;
      return { bytes: new Uint8Array(0), missing: `no echo within ${formatDuration(timeout)}${tries}` };
    } finally {
      this.#stopWaiting(false);
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
      const isTooLong = errorCode(error) === "EMSGSIZE";
      // Receiving meets the same end of a connection, and says why.
      if (!isTooLong && !isDatagram(this.#endpoint)) return;
      const explained = new EndpointError("send to", this.#endpoint, error);
      if (!isTooLong) throw explained;
      throw new MeariError(`${explained.message} (the message has ${message.length} bytes)`, { cause: error });
    }
  }

  async #receive(onEnd: (why: string | undefined) => void): Promise<void> {
    const buffer = new Uint8Array(RECEIVE_BUFFER);
    let broken: string | undefined;
    while (true) {
      try {
        const message = await this.#conn.receive(buffer);
        if (message === null) break;
        this.#take(message);
      } catch (error) {
        if (this.#closed) return;
        if (!isDatagram(this.#endpoint)) {
          broken = describeCause(error);
          break;
        }
        // Some systems tell here that nobody listens at the peer's port; somebody may for the next message.
        this.#waiting?.reject(new EndpointError("send to", this.#endpoint, error));
        await delay(RECEIVE_PAUSE);
      }
    }
    this.#end = { bytes: new Uint8Array(0), missing: broken ?? "the server closed the connection", ended: true };
    this.#waiting?.resolve(this.#end);
    onEnd(broken);
  }

  #take(bytes: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting && equals(bytes, waiting.message)) {
      waiting.resolve({ bytes: waiting.message });
      return this.#stopWaiting(true);
    }
    const same = this.#earlier.filter(({ message }) => equals(bytes, message));
    if (same.length > 0) {
      // The echo of one that was given up, or else a duplicate.
      const late = same.find(({ answered }) => !answered);
      if (late === undefined) return;
      late.answered = true;
      this.#options.onLate?.({ message: late.message, bytes: late.message });
    } else if (waiting) {
      waiting.resolve({ bytes: bytes.slice() });
      this.#stopWaiting(true);
    } else {
      this.surplus += bytes.length;
      this.#options.onSurplus?.(bytes);
    }
  }

  /** At once: what comes next, however soon, is not taken for the echo. */
  #stopWaiting(answered: boolean): void {
    if (this.#waiting === undefined) return;
    this.#earlier.push({ message: this.#waiting.message, answered });
    if (this.#earlier.length > REMEMBERED) this.#earlier.shift();
    this.#waiting = undefined;
  }
}
