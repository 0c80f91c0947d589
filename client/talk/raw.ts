/**
 * Raw mode: stdin to the socket and the socket to stdout, both at once, any bytes.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";
import { describeCause, EchoError, MeariError } from "../../lib/errors.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { type ByteSource, readInput } from "./lines.ts";

const CHUNK = 256 * 1024;

/** How many bytes may be under way when each is kept to be compared with its echo. */
const LARGEST_UNDERWAY = 64 * 1024 * 1024;

/** How raw mode runs. */
export interface RawOptions {
  /** How long to wait, in milliseconds, for the server to take or return something it owes. */
  timeout: number;
  /** Whether to compare what comes back with what went out, not just its length. */
  verify: boolean;
  /** Writes bytes to stdout, all of them; they are valid only during the call. */
  write: (bytes: Uint8Array) => Promise<void>;
  /** Told now and then how many bytes went out and came back. */
  onProgress?: (sent: number, received: number) => void;
}

/** How many bytes went out and came back. */
export interface RawResult {
  /** Bytes that went out. */
  sent: number;
  /** Bytes that came back. */
  received: number;
}

/**
 * Copies both ways until the input has ended and the server has returned as much as it got.
 *
 * @param conn The connection. The caller closes it.
 * @param input What to send.
 * @param options How.
 * @returns The counts, which are equal.
 * @throws {EchoError} If another number of bytes came back, or with `verify` other bytes.
 * @throws {MeariError} If the input cannot be read.
 */
export async function runRaw(conn: StreamConn, input: ByteSource, options: RawOptions): Promise<RawResult> {
  const count: RawResult = { sent: 0, received: 0 };
  const underway = options.verify ? new Underway() : undefined;
  const failure = Promise.withResolvers<never>();
  // Nobody may be looking when it is rejected.
  failure.promise.catch(() => {});
  let inputEnded = false;
  let serverOwes = false;
  // While stdout makes us wait, it is not the server that is slow.
  let outputOwes = false;
  let lastProgress = performance.now();

  const send = async () => {
    const buffer = new Uint8Array(CHUNK);
    while (true) {
      const length = await readInput(input, buffer);
      if (length === null) break;
      await underway?.room(LARGEST_UNDERWAY, (waiting) => serverOwes = waiting);
      underway?.push(buffer.slice(0, length));
      serverOwes = true;
      lastProgress = performance.now();
      for (let done = 0; done < length;) {
        const written = await conn.write(buffer.subarray(done, length));
        done += written;
        count.sent += written;
        lastProgress = performance.now();
      }
      serverOwes = false;
    }
    inputEnded = true;
    lastProgress = performance.now();
    await conn.closeWrite();
  };
  const receive = async () => {
    const buffer = new Uint8Array(CHUNK);
    while (true) {
      const length = await conn.read(buffer);
      if (length === null) return;
      const bytes = buffer.subarray(0, length);
      underway?.compare(bytes, count.received);
      count.received += length;
      outputOwes = true;
      await options.write(bytes);
      outputOwes = false;
      lastProgress = performance.now();
    }
  };
  const sending = send().catch((error) => {
    // Where writing fails, reading says why, after what the server still returned.
    if (error instanceof MeariError) failure.reject(error);
  });
  const receiving = receive();
  const timer = setInterval(() => {
    options.onProgress?.(count.sent, count.received);
    if (outputOwes || !(inputEnded || serverOwes) || performance.now() - lastProgress < options.timeout) return;
    if (inputEnded && count.received === count.sent) return failure.reject(undefined);
    const what = inputEnded ? "nothing more came back" : "the server took nothing more";
    failure.reject(new EchoError(`${what} for ${formatDuration(options.timeout)}: ${tally(count)}`));
  }, Math.min(200, options.timeout));
  try {
    await Promise.race([receiving, failure.promise]);
    if (inputEnded) await sending;
  } catch (error) {
    // All came back, and the server merely keeps its side open.
    if (error === undefined) return count;
    if (error instanceof Error && "code" in error && count.sent !== count.received) {
      throw new EchoError(`${describeCause(error)}: ${tally(count)}`, { cause: error });
    }
    throw error;
  } finally {
    clearInterval(timer);
    options.onProgress?.(count.sent, count.received);
  }
  if (!inputEnded) throw new EchoError(`the server closed the connection before the input ended: ${tally(count)}`);
  if (count.sent !== count.received) throw new EchoError(`not what was sent came back: ${tally(count)}`);
  return count;
}

function tally({ sent, received }: RawResult): string {
  return `${sent} bytes sent, ${received} came back`;
}

/** What was sent and has not come back yet. */
class Underway {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #freed: (() => void) | undefined;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Waits until less than so many bytes are under way. */
  async room(limit: number, onWait: (waiting: boolean) => void): Promise<void> {
    while (this.#size >= limit) {
      onWait(true);
      await new Promise<void>((resolve) => this.#freed = resolve);
    }
  }

  /** Compares what came back with what was sent first of what is under way. */
  compare(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length;) {
      const chunk = this.#chunks[0];
      const length = Math.min(chunk?.length ?? 0, bytes.length - done);
      const part = bytes.subarray(done, done + length);
      if (chunk === undefined) throw new EchoError(`more came back than was sent: byte ${offset + done + 1}`);
      const differs = firstDifference(chunk.subarray(0, length), part);
      if (differs >= 0) throw new EchoError(`what came back differs at byte ${offset + done + differs + 1}`);
      if (length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(length);
      done += length;
    }
    this.#size -= bytes.length;
    this.#freed?.();
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (equals(a, b)) return -1;
  return a.findIndex((byte, index) => byte !== b[index]);
}
