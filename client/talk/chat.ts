/**
 * Chat mode: the seed's conversation, line by line, between a person and a peer.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import { type Language, type Messages, messages } from "../../lib/cli/messages.ts";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { isQuit } from "../../lib/quit.ts";
import { EndpointError, isDatagram, isStream } from "../../lib/transport/mod.ts";
import { connectPeer } from "./connect_peer.ts";
import { findDifference } from "./difference.ts";
import type { Echo, EchoPeer, LateEcho, PeerOptions } from "./peer.ts";

/** The person that chats: where lines come from and are shown. */
export interface ChatTerminal {
  /**
   * Shows a line, also while another is being typed. It does not throw.
   *
   * @param line The line, without its line end.
   */
  say(line: string): void;
  /** Waits for the next line; `undefined` once it is closed, by the person or by {@linkcode close}. */
  read(): Promise<string | undefined>;
  /** Resolves once it is closed. */
  readonly closed: Promise<undefined>;
  /** Ends reading. Lines can still be shown. */
  close(): void;
}

/** How a chat runs. */
export interface ChatOptions extends Omit<PeerOptions, "onSurplus" | "onLate"> {
  /** The person's language. */
  lang: Language;
  /** What is added to each message. */
  eol: Uint8Array;
  /** Whether `quit` ends the chat once its echo has come back, or should have. */
  quit: boolean;
  /** Takes each echo as a line with its line end, where it is not for the terminal. */
  write?: (line: Uint8Array) => void;
}

/** How a chat ended. */
export interface ChatResult {
  /** Whether an echo was wrong or missing, or bytes came that no message asked for. */
  mismatch: boolean;
  /** Whether the server ended the conversation. */
  serverClosed: boolean;
}

/**
 * Lets a person talk to a peer, until `quit`, the end of the lines, the signal, or the server's end.
 *
 * @param endpoint The peer.
 * @param terminal The person's terminal; it is closed in the end.
 * @param options How.
 * @returns How it ended.
 * @throws {MeariError} If the peer cannot be reached, or not any more.
 * @throws The reason of the signal where that ends connecting.
 */
export async function runChat(
  endpoint: Endpoint,
  terminal: ChatTerminal,
  options: ChatOptions,
): Promise<ChatResult> {
  return await new Chat(endpoint, terminal, options).run();
}

const NEWLINE = new Uint8Array([0x0a]);

class Chat {
  #endpoint: Endpoint;
  #terminal: ChatTerminal;
  #options: ChatOptions;
  #isStream: boolean;
  #messages: Messages;
  #wrong = false;
  #missing = 0;
  #exchanging = false;
  /** What came unasked along with an echo; it is shown after that. */
  #unasked: string[] = [];
  #surplusDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(endpoint: Endpoint, terminal: ChatTerminal, options: ChatOptions) {
    this.#endpoint = endpoint;
    this.#terminal = terminal;
    this.#options = options;
    this.#isStream = isStream(endpoint);
    this.#messages = messages[options.lang];
  }

  async run(): Promise<ChatResult> {
    const { signal } = this.#options;
    const datagrams = isDatagram(this.#endpoint);
    const close = () => this.#terminal.close();
    signal?.addEventListener("abort", close);
    try {
      this.#say(this.#messages.clientStarted(datagrams));
      const peer = await connectPeer(this.#endpoint, {
        ...this.#options,
        onSurplus: (bytes) => this.#takeSurplus(bytes),
        onLate: (echo) => this.#takeLate(echo),
      });
      let serverClosed: boolean;
      try {
        this.#say(this.#messages.talkingTo(formatEndpoint(this.#endpoint)));
        serverClosed = await this.#converse(peer);
        this.#sayUnasked();
        if (serverClosed) this.#say(this.#messages.serverClosed(await peer.ended));
      } finally {
        close();
        await peer[Symbol.asyncDispose]();
      }
      this.#sayUnasked();
      this.#say(this.#messages.clientStopped(datagrams));
      return { mismatch: this.#wrong || this.#missing > 0 || peer.surplus > 0, serverClosed };
    } finally {
      close();
      signal?.removeEventListener("abort", close);
    }
  }

  /** Sends line by line; returns whether the server ended the conversation. */
  async #converse(peer: EchoPeer): Promise<boolean> {
    const { eol, quit, timeout } = this.#options;
    let gone = false;
    peer.ended.then(() => {
      gone = true;
      // An echo that is waited for is shown first.
      if (!this.#exchanging) this.#terminal.close();
    });
    while (!gone) {
      this.#sayUnasked();
      const line = await this.#terminal.read();
      if (line === undefined) break;
      const message = concat([new TextEncoder().encode(line), eol]);
      if (message.length === 0 && this.#isStream) continue;
      let echo: Echo | undefined;
      try {
        echo = await this.#exchange(peer, message);
      } catch (error) {
        if (this.#options.signal?.aborted) break;
        // One that is too long is no reason to end; one that cannot be sent at all is.
        if (!(error instanceof MeariError) || error instanceof EndpointError) throw error;
        this.#say(`> ${error.message}`);
        continue;
      }
      if (echo === undefined) break;
      this.#sayEcho(message, echo);
      if (echo.missing !== undefined) {
        this.#missing++;
        if (echo.ended) return true;
        this.#say(this.#messages.noEcho(echo.bytes.length, message.length, timeout));
      }
      if (quit && isQuit(message)) return false;
    }
    return gone;
  }

  /** Exchanges a message; `undefined` where the person does not wait for its echo. */
  async #exchange(peer: EchoPeer, message: Uint8Array): Promise<Echo | undefined> {
    this.#exchanging = true;
    try {
      return await Promise.race([peer.exchange(message), this.#terminal.closed]);
    } finally {
      this.#exchanging = false;
    }
  }

  #sayEcho(message: Uint8Array, echo: Echo): void {
    if (echo.bytes.length > 0 || echo.missing === undefined) {
      const { write } = this.#options;
      const line = withoutLineEnd(echo.bytes);
      if (write) write(concat([line, NEWLINE]));
      else this.#say(this.#messages.received(shown(line)));
    }
    this.#compare(message, echo);
  }

  #compare(message: Uint8Array, echo: Echo): void {
    const difference = findDifference(message, echo);
    if (difference === undefined) return;
    this.#wrong = true;
    this.#say(this.#messages.echoDiffers(difference.byte, difference.sent, difference.got));
  }

  #takeLate(echo: LateEcho): void {
    this.#missing--;
    this.#say(this.#messages.receivedLate(shown(withoutLineEnd(echo.bytes))));
    this.#compare(echo.message, echo);
  }

  #takeSurplus(bytes: Uint8Array): void {
    // A character may be cut between two reads of a stream.
    const text = this.#surplusDecoder.decode(bytes, { stream: this.#isStream });
    if (text === "" && bytes.length > 0) return;
    this.#unasked.push(escapeControls(text.replace(/\r?\n$/, "")));
    if (!this.#exchanging) this.#sayUnasked();
  }

  #sayUnasked(): void {
    for (const text of this.#unasked.splice(0)) this.#say(this.#messages.received(text));
  }

  #say(line: string): void {
    this.#terminal.say(line);
  }
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

/** The text of bytes, safe to show. */
function shown(bytes: Uint8Array): string {
  return escapeControls(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
}
