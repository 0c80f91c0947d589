/**
 * What a log collector sees of a server: one JSON object a line.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { encodeBase64 } from "@std/encoding/base64";
import { escapeJson } from "../../lib/escape.ts";
import { formatAddress } from "../../lib/transport/mod.ts";
import type { OmittedEvent, ServerEvent } from "../events.ts";
import { EventLimits, isFailure, SHOWN_BYTES, type Unshown } from "./limits.ts";

/** How a JSON log is written. */
export interface JsonLogOptions {
  /** Whether every connection and all of every message is to be shown, not just some a second and a message's beginning. */
  everyMessage: boolean;
  /** Whether failures alone are to be shown. */
  quiet: boolean;
  /** Takes a line of the log. */
  write: (line: string) => void;
}

/**
 * Makes a view that writes events as JSON.
 *
 * @param options How.
 * @returns Takes each event.
 */
export function jsonLog({ everyMessage, quiet, write }: JsonLogOptions): (event: ServerEvent) => void {
  const limits = new EventLimits(everyMessage, (unshown) => write(jsonLine("unshown", unshownDetails(unshown))));
  return (event) => {
    if (event.type === "stopped") limits.end();
    if (event.type === "omitted") return limits.omit(event);
    if (quiet && !isFailure(event)) return;
    if (limits.pass(event)) write(jsonLine(event.type, details(event, everyMessage)));
  };
}

/**
 * Writes a line of the log.
 *
 * @param event What has happened.
 * @param about What belongs to it, with units in the names.
 * @returns A JSON object: `time` (RFC 3339, UTC), `event`, and what belongs to it.
 */
export function jsonLine(event: string, about: Readonly<Record<string, unknown>>): string {
  return escapeJson(JSON.stringify({ time: new Date().toISOString(), event, ...about }));
}

function unshownDetails({ of, count, bytes }: Unshown): Record<string, unknown> {
  return of === "echoed" ? { of, messages: count, bytes } : { of, count };
}

function details(event: Exclude<ServerEvent, OmittedEvent>, whole: boolean): Record<string, unknown> {
  const where = "endpoint" in event ? { endpoint: formatEndpoint(event.endpoint) } : {};
  const peer = "peer" in event && event.peer !== undefined ? { peer: formatAddress(event.peer) } : {};
  switch (event.type) {
    case "listening": {
      const { engine, smallBuffer } = event;
      const buffer = smallBuffer && { receive_buffer_bytes: smallBuffer.given, asked_bytes: smallBuffer.asked };
      return { ...where, engine, ...buffer };
    }
    case "fallback":
      return { engine: "portable", cause: event.cause };
    case "replaced":
      return { worker: event.worker, cause: event.cause };
    case "connected":
      return { ...where, connection: event.connection, ...peer };
    case "echoed": {
      const { connection, message } = event;
      return { ...where, connection, ...peer, bytes: message.length, ...content(message, whole) };
    }
    case "refused":
      return { ...where, ...peer, reason: event.reason };
    case "disconnected": {
      const { connection, how, messages, bytes } = event;
      return { ...where, connection, ...peer, how, messages, bytes, duration_ms: milliseconds(event.duration) };
    }
    case "failed":
      return { ...where, operation: event.operation, ...peer, cause: event.cause };
    case "stopping":
      return { connections: event.connections };
    case "stopped": {
      const { connections, messages, bytes, refused, replaced } = event;
      return {
        connections,
        messages,
        bytes,
        refused,
        ...(replaced > 0 && { replaced }),
        duration_ms: milliseconds(event.duration),
      };
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A message as text where it is UTF-8, else, as where a read ends within a character, in base64 (RFC 4648). Of a large one,
 * unless it is asked for as a whole, only the beginning.
 */
function content(message: Uint8Array, whole: boolean): Record<string, unknown> {
  const shown = whole ? message : beginning(message);
  const about = shown === message ? {} : { shown_bytes: shown.length };
  try {
    return { ...about, text: decoder.decode(shown) };
  } catch {
    return { ...about, base64: encodeBase64(shown) };
  }
}

/** Does not end within a character of UTF-8, of which every byte but the first is 10xxxxxx (RFC 3629). */
function beginning(message: Uint8Array): Uint8Array {
  if (message.length <= SHOWN_BYTES) return message;
  let end = SHOWN_BYTES;
  while (end > SHOWN_BYTES - 3 && (message[end]! & 0xc0) === 0x80) end--;
  return message.subarray(0, end);
}

function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
