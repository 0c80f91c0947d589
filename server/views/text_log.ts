/**
 * What a person sees of a server: the seed's lines, and what else a user needs.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { escapeControls } from "../../lib/escape.ts";
import { hexdump } from "../../lib/hexdump.ts";
import type { Messages } from "../../lib/cli/messages.ts";
import { formatAddress, plainHost } from "../../lib/transport/mod.ts";
import { formatSize } from "../../lib/units.ts";
import type { EchoedEvent, ServerEvent } from "../events.ts";
import { MessageTexts } from "./message_texts.ts";

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
  const texts = new MessageTexts();
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
        texts.forget(event.connection);
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
    const text = texts.next(event, cut ? message.subarray(0, SHOWN_BYTES) : message);
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
