/**
 * Lines of bytes.
 *
 * @module
 */

import { describeCause, MeariError } from "../../lib/errors.ts";

/** What lines are read from: `Deno.stdin` or the like. */
export interface ByteSource {
  /** Reads what is there, waiting until something is; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** How many bytes are read at once, unless a line is longer. */
const CHUNK = 64 * 1024;

/**
 * Splits bytes into lines. The line end, LF or CR LF, is not part of a line. A last line without one counts. A long line
 * is held once.
 *
 * @param source Where the bytes come from.
 * @returns The lines, each of its own.
 * @throws {MeariError} If the source cannot be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const chunks = [new TextEncoder().encode("a\r\nb"), new TextEncoder().encode("c")];
 * const source = {
 *   read(buffer: Uint8Array) {
 *     const chunk = chunks.shift();
 *     if (chunk) buffer.set(chunk);
 *     return Promise.resolve(chunk?.length ?? null);
 *   },
 * };
 * const lines = await Array.fromAsync(readLines(source), (line) => new TextDecoder().decode(line));
 * assertEquals(lines, ["a", "bc"]);
 * ```
 */
export async function* readLines(source: ByteSource): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(CHUNK);
  let filled = 0;
  while (true) {
    if (filled === buffer.length) {
      const larger = new Uint8Array(2 * buffer.length);
      larger.set(buffer);
      buffer = larger;
    }
    const length = await readInput(source, buffer.subarray(filled, filled + CHUNK));
    if (length === null) break;
    let start = 0;
    let from = filled;
    filled += length;
    for (let end; (end = buffer.subarray(0, filled).indexOf(0x0a, from)) >= 0; from = start) {
      const lineEnd = end > start && buffer[end - 1] === 0x0d ? end - 1 : end;
      if (buffer.length === CHUNK) {
        const line = buffer.slice(start, lineEnd);
        start = end + 1;
        yield line;
      } else {
        // A line that made the buffer grow keeps it, so that it is held but once.
        const line = buffer.subarray(0, lineEnd);
        const rest = buffer.subarray(end + 1, filled);
        buffer = new Uint8Array(CHUNK);
        buffer.set(rest);
        filled = rest.length;
        yield line;
      }
    }
    buffer.copyWithin(0, start, filled);
    filled -= start;
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/**
 * Reads what a program is given to send.
 *
 * @param source Where it comes from.
 * @param buffer Where to put it.
 * @returns How many bytes were read, or `null` at the end.
 * @throws {MeariError} If it cannot be read, as where it is a directory.
 */
export async function readInput(source: ByteSource, buffer: Uint8Array): Promise<number | null> {
  try {
    return await source.read(buffer);
  } catch (error) {
    throw new MeariError(`cannot read the input: ${describeCause(error)}`, { cause: error });
  }
}
