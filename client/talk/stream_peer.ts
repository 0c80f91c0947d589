/**
 * A peer on a byte stream. One read is not one message: an echo is whole when as many bytes came back as went out.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { describeCause } from "../../lib/errors.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import { firstDifference } from "./difference.ts";
import type { Echo, EchoPeer, PeerOptions } from "./peer.ts";

const READ_BUFFER = 64 * 1024;

/** How long to wait at the end for the server to close too, in milliseconds. */
const CLOSE_TIMEOUT = 250;

/** A message whose echo is not whole yet. */
interface OwedEcho {
  message: Uint8Array;
  /** What came of the echo: the message itself until a byte differs, so that a long one is not held twice. */
  echo: Uint8Array;
  /** How many bytes came. */
  length: number;
  /** Ends the wait for it, which may be over before it has come. */
  done?: (missing?: string) => void;
}

/** A peer on a byte stream. */
export class StreamPeer implements EchoPeer {
  readonly ended: Promise<string | undefined>;
  surplus = 0;

  #conn: StreamConn;
  #options: PeerOptions;
  /** In the order in which they were sent, which is that of the stream. */
  #owed: OwedEcho[] = [];
  #sending: Promise<void> = Promise.resolve();
  /** Starts the time to wait anew. */
  #progress: (() => void) | undefined;
  #missing: string | undefined;
  #closed = false;

  /**
   * Talks to a peer.
   *
   * @param conn The connection, which disposing closes.
   * @param options How to talk to it.
   */
  constructor(conn: StreamConn, options: PeerOptions) {
    this.#conn = conn;
    this.#options = options;
    this.ended = this.#receive();
  }

  async exchange(message: Uint8Array): Promise<Echo> {
    if (message.length === 0) return { bytes: message };
    if (this.#missing !== undefined) return { bytes: new Uint8Array(0), missing: this.#missing, ended: true };
    const { timeout, signal } = this.#options;
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const owed: OwedEcho = { message, echo: message, length: 0, done: resolve };
    this.#owed.push(owed);
    const outOfTime = () => resolve(`no echo within ${formatDuration(timeout)}`);
    let timer = setTimeout(outOfTime, timeout);
    this.#progress = () => {
      clearTimeout(timer);
      timer = setTimeout(outOfTime, timeout);
    };
    // Sending goes on while the echo comes in: a long message does not fit into the buffers on the way. It also goes on
    // where the wait is over: half a message would be taken for the beginning of the next.
    this.#sending = this.#send(message, this.#sending);
    try {
      const missing = await (signal ? abortable(promise, signal) : promise);
      const bytes = owed.echo.subarray(0, owed.length);
      return missing === undefined
        ? { bytes }
        : { bytes, missing, ...(this.#missing !== undefined && { ended: true }) };
    } finally {
      clearTimeout(timer);
      this.#progress = undefined;
      owed.done = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    try {
      if (!this.#options.signal?.aborted) {
        await waitAtMost(CLOSE_TIMEOUT, this.#conn.closeWrite().then(() => this.ended));
      }
    } catch {
      // The server has gone already.
    } finally {
      this.#closed = true;
      this.#conn.close();
    }
  }

  async #send(message: Uint8Array, before: Promise<void>): Promise<void> {
    await before;
    try {
      for (let sent = 0; sent < message.length;) {
        sent += await this.#conn.write(message.subarray(sent));
        this.#progress?.();
      }
    } catch {
      // Reading meets the same end, and says why: the echo of what was sent before may still be on its way.
    }
  }

  /** Reads until the stream ends, so that its end is noticed at once. */
  async #receive(): Promise<string | undefined> {
    const buffer = new Uint8Array(READ_BUFFER);
    let broken: string | undefined;
    try {
      while (true) {
        const length = await this.#conn.read(buffer);
        if (length === null) break;
        this.#take(buffer.subarray(0, length));
      }
    } catch (error) {
      if (!this.#closed) broken = describeCause(error);
    }
    this.#missing = broken ?? "the server closed the connection";
    for (const { done } of this.#owed.splice(0)) done?.(this.#missing);
    return broken;
  }

  #take(bytes: Uint8Array): void {
    this.#progress?.();
    let rest = bytes;
    for (let owed; rest.length > 0 && (owed = this.#owed[0]) !== undefined;) {
      const part = rest.subarray(0, owed.message.length - owed.length);
      addToEcho(owed, part);
      rest = rest.subarray(part.length);
      if (owed.length < owed.message.length) return;
      this.#owed.shift();
      if (owed.done) owed.done();
      else this.#options.onLate?.({ message: owed.message, bytes: owed.echo });
    }
    if (rest.length > 0) {
      this.surplus += rest.length;
      this.#options.onSurplus?.(rest);
    }
  }
}

function addToEcho(owed: OwedEcho, part: Uint8Array): void {
  const { message, length } = owed;
  if (owed.echo === message && firstDifference(message.subarray(length, length + part.length), part) >= 0) {
    owed.echo = new Uint8Array(message.length);
    owed.echo.set(message.subarray(0, length));
  }
  if (owed.echo !== message) owed.echo.set(part, length);
  owed.length += part.length;
}
