/**
 * Script and one-shot mode: each message is sent, its echo awaited, checked, and printed as one line.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";
import { EchoError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { isQuit } from "../../lib/quit.ts";
import type { EchoPeer } from "./peer.ts";

/** How a script runs. */
export interface ScriptOptions {
  /** What to call a message in an error: `line`, `message`. */
  unit: string;
  /** What is added to each message. */
  eol: Uint8Array;
  /** Whether `quit` ends the script once its echo has come back. */
  quit: boolean;
  /** Writes one line, with its line end, to stdout. */
  write: (line: Uint8Array) => void;
}

/**
 * Sends messages one after the other and prints their echoes.
 *
 * @param peer Who echoes.
 * @param messages The messages, without line ends.
 * @param options How.
 * @throws {EchoError} If an echo is missing or wrong; the message says which.
 */
export async function runScript(
  peer: EchoPeer,
  messages: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ScriptOptions,
): Promise<void> {
  const { unit, eol, write } = options;
  const newline = new Uint8Array([0x0a]);
  let number = 0;
  for await (const text of messages) {
    number++;
    const message = join(text, eol);
    const { bytes, missing } = await peer.exchange(message);
    checkEcho(`${unit} ${number}`, message, bytes, missing);
    write(join(text, newline));
    if (peer.surplus > 0) throw new EchoError(`${unit} ${number}: the server sent more than it received`);
    if (options.quit && isQuit(message)) break;
  }
  await peer[Symbol.asyncDispose]();
  if (peer.surplus > 0) throw new EchoError(`after ${unit} ${number}: the server sent more than it received`);
}

function checkEcho(which: string, sent: Uint8Array, back: Uint8Array, missing: string | undefined): void {
  if (missing !== undefined) {
    const part = back.length > 0 ? ` after ${back.length} of ${sent.length} bytes` : "";
    throw new EchoError(`${which}: ${missing}${part}`);
  }
  if (equals(sent, back)) return;
  let offset = 0;
  while (offset < sent.length && sent[offset] === back[offset]) offset++;
  throw new EchoError(
    `${which}: the echo differs at byte ${offset + 1}: sent ${quoted(sent, offset)}, got ${quoted(back, offset)}`,
  );
}

/** Shows bytes around an offset as text, at most so many as one reads at a glance. */
function quoted(bytes: Uint8Array, offset: number): string {
  const start = Math.max(0, offset - 20);
  const shown = new TextDecoder().decode(bytes.subarray(start, offset + 20));
  return `${start > 0 ? "…" : ""}"${escapeControls(shown)}"${offset + 20 < bytes.length ? "…" : ""}`;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (b.length === 0) return a;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
