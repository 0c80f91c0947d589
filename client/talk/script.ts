/**
 * Script and one-shot mode: each message is sent, its echo awaited, checked, and printed as one line.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { concat } from "@std/bytes/concat";
import { EchoError } from "../../lib/errors.ts";
import { isQuit } from "../../lib/quit.ts";
import { findDifference } from "./difference.ts";
import type { Echo, EchoPeer } from "./peer.ts";

/** How a script runs. */
export interface ScriptOptions {
  /** What to call a message in an error: `line`, `message`. */
  unit: string;
  /** What is added to each message. */
  eol: Uint8Array;
  /** Whether `quit` ends the script once its echo has come back. */
  quit: boolean;
  /** Writes bytes to stdout: a line with its line end, or where it is long a part of it. */
  write: (bytes: Uint8Array) => void;
  /** Ends it at once. */
  signal?: AbortSignal;
}

const NEWLINE = new Uint8Array([0x0a]);

/** From how many bytes on a line is written apart from its line end, lest it is copied. */
const LONG = 64 * 1024;

/**
 * Sends messages one after the other and prints their echoes.
 *
 * @param peer Who echoes.
 * @param messages The messages, without line ends.
 * @param options How.
 * @throws {EchoError} If an echo is missing or wrong; the message says which.
 * @throws The reason of the signal where that ends it.
 */
export async function runScript(
  peer: EchoPeer,
  messages: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ScriptOptions,
): Promise<void> {
  const running = exchangeAll(peer, messages, options);
  await (options.signal ? abortable(running, options.signal) : running);
}

async function exchangeAll(
  peer: EchoPeer,
  messages: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { unit, eol, quit, write, signal }: ScriptOptions,
): Promise<void> {
  let number = 0;
  for await (const text of messages) {
    // A wait for input cannot be ended; what comes after the end is not sent.
    signal?.throwIfAborted();
    const which = `${unit} ${++number}`;
    const message = eol.length === 0 ? text : concat([text, eol]);
    checkEcho(which, message, await peer.exchange(message));
    if (text.length < LONG) write(concat([text, NEWLINE]));
    else {
      write(text);
      write(NEWLINE);
    }
    if (peer.surplus > 0) throw new EchoError(`${which}: the server sent more than it received`);
    if (quit && isQuit(message)) break;
  }
  await peer[Symbol.asyncDispose]();
  if (peer.surplus > 0) throw new EchoError(`after ${unit} ${number}: the server sent more than it received`);
}

function checkEcho(which: string, message: Uint8Array, echo: Echo): void {
  const difference = findDifference(message, echo);
  if (difference !== undefined) {
    const { byte, sent, got } = difference;
    throw new EchoError(`${which}: the echo differs at byte ${byte}: sent ${sent}, got ${got}`);
  }
  if (echo.missing === undefined) return;
  const part = echo.bytes.length > 0 ? ` after ${echo.bytes.length} of ${message.length} bytes` : "";
  throw new EchoError(`${which}: ${echo.missing}${part}`);
}
