/**
 * What a person sees of a server: the seed's lines, and what else a user needs.
 *
 * @module
 */

import { formatEndpoint } from "../lib/endpoint.ts";
import { escapeControls } from "../lib/escape.ts";
import { hexdump } from "../lib/hexdump.ts";
import type { Messages } from "../lib/messages.ts";
import { formatAddress, plainHost } from "../lib/transport/mod.ts";
import { formatSize } from "../lib/units.ts";
import type { EchoedEvent, ServerEvent } from "./events.ts";

/** How many bytes of a message a line shows, unless all are asked for. */
const SHOWN_BYTES = 256;

/** How a text log is written. */
export interface TextLogOptions {
  /** The catalogue of the user's language. */
  messages: Messages;
  /** Whether no endpoint is a stream, as with the seed's UDP server. */
  datagramsOnly: boolean;
  /** `normal`; `verbose` shows every message whole and with its size; `trace` adds a hex dump. */
  detail: "normal" | "verbose" | "trace";
  /** Takes a line of the log. */
  write: (line: string) => void;
  /** Takes an error. */
  writeError: (line: string) => void;
}

/**
 * Makes a view that writes events as text.
 *
 * @param options How.
 * @returns Takes each event.
 */
export function textLog(options: TextLogOptions): (event: ServerEvent) => void {
  const { messages, datagramsOnly, write, writeError } = options;
  const decode = streamDecoders();
  let started = false;
  return (event) => {
    switch (event.type) {
      case "listening":
        if (!started) write(messages.serverStarted(datagramsOnly));
        started = true;
        return write(messages.listening(formatEndpoint(event.endpoint)));
      case "connected":
        return write(
          "hostname" in event.peer
            ? messages.connected(plainHost(event.peer.hostname), event.peer.port)
            : messages.connectedLocally("path" in event.endpoint ? event.endpoint.path : ""),
        );
      case "echoed":
        return echoed(event);
      case "unshown":
        return write(messages.unshown(event.messages, event.bytes));
      case "disconnected": {
        decode.forget(event.connection);
        const peer = "hostname" in event.peer ? formatAddress(event.peer) : formatEndpoint(event.endpoint);
        return write(messages.disconnected(peer, event.how, event.messages, event.bytes, event.duration));
      }
      case "failed": {
        const whom = event.peer === undefined ? "" : ` to ${formatAddress(event.peer)}`;
        return writeError(`${formatEndpoint(event.endpoint)}: ${event.operation}${whom} failed: ${event.cause}`);
      }
      case "stopping":
        if (event.connections > 0) write(messages.stopping(event.connections));
        return;
      case "stopped":
        write(messages.served(event.connections, event.messages, event.bytes, event.duration));
        return write(messages.serverStopped(datagramsOnly));
    }
  };

  function echoed(event: EchoedEvent): void {
    const { message } = event;
    const cut = options.detail === "normal" && message.length > SHOWN_BYTES;
    const text = decode.next(event, cut ? message.subarray(0, SHOWN_BYTES) : message);
    // A read may end within a character, which then shows with the next read; one that holds no more shows nothing.
    if (text === "" && message.length > 0 && options.detail === "normal") return;
    const shown = `${escapeControls(text)}${cut ? "…" : ""}`;
    if (options.detail === "normal" && !cut) return write(messages.echoed(shown));
    const size = formatSize(message.length);
    write(messages.echoed(options.detail === "normal" ? `${shown} (${size})` : `${shown} (${size}, ${from(event)})`));
    if (options.detail === "trace" && message.length > 0) write(hexdump(message));
  }
}

function from(event: EchoedEvent): string {
  return event.connection === undefined ? formatAddress(event.peer) : `#${event.connection}`;
}

/**
 * Decodes each connection as one stream of UTF-8, so that a character split between two reads is shown whole. Where
 * reads were left out in between, decoding starts anew.
 */
function streamDecoders() {
  const decoders = new Map<number, { decoder: TextDecoder; next: number }>();
  return {
    next(event: EchoedEvent, bytes: Uint8Array): string {
      if (event.connection === undefined) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      // What was cut off is not decoded either.
      const end = event.offset + bytes.length;
      let state = decoders.get(event.connection);
      if (state === undefined || state.next !== event.offset) {
        state = { decoder: new TextDecoder("utf-8", { ignoreBOM: true }), next: 0 };
        decoders.set(event.connection, state);
        if (event.offset > 0) bytes = wholeFromStart(bytes);
      }
      state.next = end;
      return state.decoder.decode(bytes, { stream: true });
    },
    forget(connection: number): void {
      decoders.delete(connection);
    },
  };
}

/** Leaves out the rest of a character that began before: at most three bytes, each 10xxxxxx (RFC 3629). */
function wholeFromStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}
