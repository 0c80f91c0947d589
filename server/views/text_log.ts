/**
 * What a person sees of a server: the seed's lines, and what else a user needs.
 *
 * @module
 */

import type { Messages } from "../../lib/cli/messages.ts";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { escapeControls } from "../../lib/escape.ts";
import { hexdump } from "../../lib/hexdump.ts";
import { type Address, formatAddress, plainHost } from "../../lib/transport/mod.ts";
import { formatSize, plural } from "../../lib/units.ts";
import type { EchoedEvent, ServerEvent } from "../events.ts";
import { EventLimits, isFailure, SHOWN_BYTES, type Unshown } from "./limits.ts";
import { MessageTexts } from "./message_texts.ts";

/** How a text log is written. */
export interface TextLogOptions {
  /** The catalogue of the user's language. */
  messages: Messages;
  /** Whether no endpoint is a stream, as with the seed's UDP server. */
  datagramsOnly: boolean;
  /** `normal`; `verbose` shows every message whole and with its size; `trace` adds a hex dump. */
  detail: "normal" | "verbose" | "trace";
  /** Whether failures alone are to be shown. */
  quiet: boolean;
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
  const { messages, datagramsOnly, detail, write, writeError } = options;
  const texts = new MessageTexts();
  const limits = new EventLimits(detail !== "normal", writeUnshown);
  let started = false;
  return (event) => {
    if (event.type === "disconnected") texts.forget(event.connection);
    if (event.type === "stopped") limits.end();
    if (event.type === "omitted") return limits.omit(event);
    if (options.quiet && !isFailure(event)) return;
    if (!limits.pass(event)) return;
    switch (event.type) {
      case "listening":
        if (!started) write(messages.serverStarted(datagramsOnly));
        started = true;
        return write(messages.listening(endpointText(event.endpoint), event.engine, event.smallBuffer));
      case "fallback":
        return writeError(`serving with Deno's own sockets, not with native ones: ${event.cause}`);
      case "replaced":
        return writeError(`worker ${event.worker} died and was replaced, its connections are gone: ${event.cause}`);
      case "connected":
        return write(
          "hostname" in event.peer
            ? messages.connected(plainHost(event.peer.hostname), event.peer.port)
            : messages.connectedLocally("path" in event.endpoint ? escapeControls(event.endpoint.path) : ""),
        );
      case "echoed":
        return echoed(event);
      case "refused":
        return write(messages.refused(addressText(event.peer), event.reason));
      case "disconnected": {
        const peer = "hostname" in event.peer ? formatAddress(event.peer) : endpointText(event.endpoint);
        return write(messages.disconnected(peer, event.how, event.messages, event.bytes, event.duration));
      }
      case "failed": {
        const whom = event.peer === undefined ? "" : ` to ${addressText(event.peer)}`;
        return writeError(`${endpointText(event.endpoint)}: ${event.operation}${whom} failed: ${event.cause}`);
      }
      case "stopping":
        if (event.connections > 0) write(messages.stopping(event.connections));
        return;
      case "stopped": {
        const refused = Object.values(event.refused).reduce((sum, count) => sum + count, 0);
        write(messages.served(event.connections, event.messages, event.bytes, event.duration));
        if (refused > 0) write(messages.refusedInAll(refused));
        return write(messages.serverStopped(datagramsOnly));
      }
    }
  };

  function writeUnshown({ of, count, bytes }: Unshown): void {
    if (of === "failed") writeError(`${plural(count, "more failure")}, not shown`);
    else write(messages.unshown(of, count, bytes));
  }

  function echoed(event: EchoedEvent): void {
    const { message } = event;
    const cut = detail === "normal" && message.length > SHOWN_BYTES;
    const text = texts.next(event, cut ? message.subarray(0, SHOWN_BYTES) : message);
    // A read may end within a character, which then shows with the next read; one that holds no more shows nothing.
    if (text === "" && message.length > 0 && detail === "normal") return;
    const shown = `${escapeControls(text)}${cut ? "…" : ""}`;
    if (detail === "normal" && !cut) return write(messages.echoed(shown));
    const size = formatSize(message.length);
    write(messages.echoed(detail === "normal" ? `${shown} (${size})` : `${shown} (${size}, ${from(event)})`));
    if (detail === "trace" && message.length > 0) write(hexdump(message));
  }
}

function from(event: EchoedEvent): string {
  return event.connection === undefined ? addressText(event.peer) : `#${event.connection}`;
}

function endpointText(endpoint: Endpoint): string {
  return escapeControls(formatEndpoint(endpoint));
}

/** Somebody else may have chosen its path. */
function addressText(address: Address): string {
  return escapeControls(formatAddress(address));
}
