/**
 * Chat mode: the seed's conversation, in a terminal.
 *
 * @module
 */

import process from "node:process";
import readline from "node:readline";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { isDatagram } from "../../lib/transport/mod.ts";
import { ExitCode, MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import type { Messages } from "../../lib/cli/messages.ts";
import { onStopSignal } from "../../lib/cli/program.ts";
import { isQuit } from "../../lib/quit.ts";
import { connectPeer } from "./connect_peer.ts";
import type { Echo, PeerOptions } from "./peer.ts";

/** How a chat runs. */
export interface ChatOptions extends Omit<PeerOptions, "onSurplus"> {
  /** The catalogue of the user's language. */
  messages: Messages;
  /** What is added to each message. */
  eol: Uint8Array;
  /** Whether `quit` ends the chat once its echo has come back. */
  quit: boolean;
}

/**
 * Lets a person at the terminal talk to a peer, until `quit`, Ctrl+D, Ctrl+C, or the server's end.
 *
 * @param endpoint The peer.
 * @param options How.
 * @returns The exit code: 1 if the server ended the conversation, else 0.
 * @throws {MeariError} If the peer cannot be reached.
 */
export async function runChat(endpoint: Endpoint, options: ChatOptions): Promise<number> {
  const { messages } = options;
  const datagrams = isDatagram(endpoint);
  // The conversation is for the terminal, even where stdout goes elsewhere.
  const terminal = Deno.stdout.isTerminal() ? process.stdout : process.stderr;
  const say = (line: string) => terminal.write(`${line}\n`);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const sayReceived = (bytes: Uint8Array) =>
    say(messages.received(escapeControls(decoder.decode(bytes).replace(/\r?\n$/, ""))));

  // What came unasked along with an echo; it is said after that.
  const unasked: Uint8Array[] = [];
  let prompting = false;
  const sayUnasked = () => unasked.splice(0).forEach(sayReceived);

  say(messages.clientStarted(datagrams));
  await using peer = await connectPeer(endpoint, {
    ...options,
    onSurplus: (bytes) => prompting ? aside(() => sayReceived(bytes)) : unasked.push(bytes.slice()),
  });
  say(messages.talkingTo(formatEndpoint(endpoint)));

  const lines = new LineQueue();
  const editor = readline.createInterface({ input: process.stdin, output: terminal, prompt: "> ", terminal: true });
  /** Says something while a line is being typed, and then shows that line again. */
  function aside(speak: () => void): void {
    if (prompting) {
      readline.cursorTo(terminal, 0);
      readline.clearLine(terminal, 0);
    }
    speak();
    if (prompting && !lines.ended) editor.prompt(true);
  }
  const close = () => editor.close();
  editor.on("line", (line: string) => lines.push(line));
  editor.on("SIGINT", close);
  editor.on("close", () => {
    // The line that was being typed stays as it is.
    if (prompting && !lines.ended) say("");
    lines.end();
  });
  using _signals = onStopSignal(close);
  let serverGone = false;
  peer.ended.then((why) => {
    if (lines.ended) return;
    serverGone = true;
    lines.end();
    aside(() => say(messages.serverClosed(why)));
  });
  try {
    while (true) {
      sayUnasked();
      prompting = true;
      if (!lines.ended && !lines.waiting) editor.prompt();
      const line = await lines.next();
      prompting = false;
      if (line === undefined) break;
      const message = new Uint8Array([...new TextEncoder().encode(line), ...options.eol]);
      if (message.length === 0 && !datagrams) continue;
      let echo: Echo | undefined;
      try {
        echo = await Promise.race([peer.exchange(message), lines.interrupted]);
      } catch (error) {
        if (!(error instanceof MeariError)) throw error;
        say(`> ${error.message}`);
        continue;
      }
      if (echo === undefined) break;
      if (echo.bytes.length > 0 || echo.missing === undefined) sayReceived(echo.bytes);
      if (serverGone) break;
      if (echo.missing !== undefined) say(messages.noEcho(echo.bytes.length, message.length, options.timeout));
      else if (options.quit && isQuit(message)) break;
    }
  } finally {
    lines.end();
    close();
  }
  sayUnasked();
  say(messages.clientStopped(datagrams));
  return serverGone ? ExitCode.failed : ExitCode.ok;
}

/** Lines that were typed and wait to be sent; several at once where they were pasted. */
class LineQueue {
  /** Whether there will be no more lines. */
  ended = false;
  #lines: string[] = [];
  #wake: (() => void) | undefined;
  #interrupted = Promise.withResolvers<undefined>();

  /** Whether a line is there already. */
  get waiting(): boolean {
    return this.#lines.length > 0;
  }

  /** Resolves once there will be no more lines. */
  get interrupted(): Promise<undefined> {
    return this.#interrupted.promise;
  }

  push(line: string): void {
    this.#lines.push(line);
    this.#wake?.();
  }

  end(): void {
    this.ended = true;
    this.#interrupted.resolve(undefined);
    this.#wake?.();
  }

  async next(): Promise<string | undefined> {
    while (!this.waiting && !this.ended) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.ended ? undefined : this.#lines.shift();
  }
}
