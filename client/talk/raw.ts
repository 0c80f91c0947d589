/**
 * Raw mode: stdin to the socket and the socket to stdout, both at once, any bytes.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { describeCause, EchoError, errorCode, MeariError } from "../../lib/errors.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import { formatDuration, plural } from "../../lib/units.ts";
import { InFlight } from "./in_flight.ts";
import { type ByteSource, readInput } from "./lines.ts";

const CHUNK = 256 * 1024;

/** How raw mode runs. */
export interface RawOptions {
  /** How long to wait, in milliseconds, for the server to take or return something it owes. */
  timeout: number;
  /** Whether to compare what comes back with what went out, not just its length. */
  verify: boolean;
  /** Writes bytes to stdout, all of them; they are valid only during the call. */
  write: (bytes: Uint8Array) => Promise<void>;
  /** Ends it at once. */
  signal?: AbortSignal;
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
 * @throws The reason of the signal where that ends it.
 */
export async function runRaw(conn: StreamConn, input: ByteSource, options: RawOptions): Promise<RawResult> {
  const count: RawResult = { sent: 0, received: 0 };
  const inFlight = options.verify ? new InFlight() : undefined;
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
      serverOwes = inFlight?.isFull ?? false;
      await inFlight?.room();
      inFlight?.add(buffer.slice(0, length));
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
      inFlight?.compare(bytes);
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
    const over = Promise.race([receiving, failure.promise]);
    await (options.signal ? abortable(over, options.signal) : over);
    if (inputEnded) await sending;
  } catch (error) {
    // All came back, and the server merely keeps its side open.
    if (error === undefined) return count;
    if (errorCode(error) !== undefined && count.sent !== count.received) {
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
  return `${plural(sent, "byte")} sent, ${received} came back`;
}
