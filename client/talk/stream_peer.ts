/**
 * A peer on a byte stream. One read is not one message: an echo is whole when as many bytes came back as went out.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { describeCause } from "../../lib/errors.ts";
import { connectStream, type StreamConn } from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import type { Echo, EchoPeer, PeerOptions } from "./peer.ts";

const READ_BUFFER = 64 * 1024;

/** How long to wait at the end for the server to close too, in milliseconds. */
const FAREWELL = 250;

/** An echo that is being waited for. */
interface Waiting {
  echo: Uint8Array;
  length: number;
  done: (missing?: string) => void;
  /** Starts the time to wait anew. */
  progress: () => void;
}

/** A peer on a byte stream. */
export class StreamPeer implements EchoPeer {
  readonly ended: Promise<string | undefined>;
  surplus = 0;

  #conn: StreamConn;
  #options: PeerOptions;
  #waiting: Waiting | undefined;
  #end: { why: string } | undefined;
  #closed = false;

  private constructor(conn: StreamConn, options: PeerOptions) {
    this.#conn = conn;
    this.#options = options;
    this.ended = this.#receive();
  }

  /**
   * Connects to a peer.
   *
   * @param endpoint A `tcp` or `unix` endpoint.
   * @param options How to talk to it.
   * @returns The peer.
   * @throws {MeariError} If it cannot be reached.
   */
  static async connect(endpoint: Endpoint, options: PeerOptions): Promise<StreamPeer> {
    return new StreamPeer(await connectStream(endpoint, { timeout: options.timeout }), options);
  }

  async exchange(message: Uint8Array): Promise<Echo> {
    if (message.length === 0) return { bytes: message };
    if (this.#end) return { bytes: new Uint8Array(0), missing: this.#end.why };
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const { timeout } = this.#options;
    const outOfTime = () => resolve(`no echo within ${formatDuration(timeout)}`);
    let timer = setTimeout(outOfTime, timeout);
    const waiting: Waiting = {
      echo: new Uint8Array(message.length),
      length: 0,
      done: resolve,
      progress: () => {
        clearTimeout(timer);
        timer = setTimeout(outOfTime, timeout);
      },
    };
    this.#waiting = waiting;
    // Sending goes on while the echo comes in: a long message does not fit into the buffers on the way.
    this.#send(message, waiting);
    const missing = await promise;
    clearTimeout(timer);
    this.#waiting = undefined;
    return { bytes: waiting.echo.subarray(0, waiting.length), ...(missing !== undefined && { missing }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    try {
      await waitAtMost(FAREWELL, this.#conn.closeWrite().then(() => this.ended));
    } catch {
      // The server has gone already.
    } finally {
      this.#closed = true;
      this.#conn.close();
    }
  }

  async #send(message: Uint8Array, waiting: Waiting): Promise<void> {
    try {
      for (let sent = 0; sent < message.length && this.#waiting === waiting;) {
        sent += await this.#conn.write(message.subarray(sent));
        if (sent < message.length) waiting.progress();
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
    this.#end = { why: broken ?? "the server closed the connection" };
    this.#waiting?.done(this.#end.why);
    return broken;
  }

  #take(bytes: Uint8Array): void {
    const waiting = this.#waiting;
    const wanted = waiting ? Math.min(bytes.length, waiting.echo.length - waiting.length) : 0;
    if (waiting && wanted > 0) {
      waiting.echo.set(bytes.subarray(0, wanted), waiting.length);
      waiting.length += wanted;
      if (waiting.length === waiting.echo.length) waiting.done();
      else waiting.progress();
    }
    if (wanted < bytes.length) {
      this.surplus += bytes.length - wanted;
      this.#options.onSurplus?.(bytes.subarray(wanted));
    }
  }
}
