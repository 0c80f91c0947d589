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

/**
 * Splits bytes into lines. The line end, LF or CR LF, is not part of a line. A last line without one counts.
 *
 * @param source Where the bytes come from.
 * @returns The lines, each a copy.
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
  const buffer = new Uint8Array(64 * 1024);
  let begun: Uint8Array[] = [];
  while (true) {
    const length = await readInput(source, buffer);
    if (length === null) break;
    let start = 0;
    for (let end; (end = buffer.indexOf(0x0a, start)) >= 0 && end < length; start = end + 1) {
      begun.push(buffer.slice(start, end));
      yield withoutCarriageReturn(concat(begun));
      begun = [];
    }
    if (start < length) begun.push(buffer.slice(start, length));
  }
  if (begun.length > 0) yield concat(begun);
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

function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function withoutCarriageReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
}
