/**
 * What a log collector sees of a server: one JSON object a line.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { formatAddress } from "../../lib/transport/mod.ts";
import type { ServerEvent } from "../events.ts";
import { MessageTexts } from "./message_texts.ts";

/**
 * Writes an event as a JSON object: `time` (RFC 3339, UTC), `event`, and what belongs to it, with units in the names.
 *
 * @param event The event.
 * @param time When it happened.
 * @param texts Decodes the messages; the same for all events of a server, so that split characters come out whole.
 * @returns The object as one line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(
 *   jsonLine({ type: "unshown", messages: 3, bytes: 12 }, new Date(0)),
 *   '{"time":"1970-01-01T00:00:00.000Z","event":"unshown","messages":3,"bytes":12}',
 * );
 * ```
 */
export function jsonLine(event: ServerEvent, time: Date, texts: MessageTexts = new MessageTexts()): string {
  return JSON.stringify({ time: time.toISOString(), event: event.type, ...details(event, texts) });
}

function details(event: ServerEvent, texts: MessageTexts): Record<string, unknown> {
  const where = "endpoint" in event ? { endpoint: formatEndpoint(event.endpoint) } : {};
  const peer = "peer" in event && event.peer !== undefined ? { peer: formatAddress(event.peer) } : {};
  switch (event.type) {
    case "listening":
      return where;
    case "connected":
      return { ...where, connection: event.connection, ...peer };
    case "echoed":
      return {
        ...where,
        connection: event.connection,
        ...peer,
        bytes: event.message.length,
        text: texts.next(event),
      };
    case "unshown":
      return { messages: event.messages, bytes: event.bytes };
    case "disconnected":
      texts.forget(event.connection);
      return {
        ...where,
        connection: event.connection,
        ...peer,
        how: event.how,
        messages: event.messages,
        bytes: event.bytes,
        duration_ms: milliseconds(event.duration),
      };
    case "failed":
      return { ...where, operation: event.operation, ...peer, cause: event.cause };
    case "stopping":
      return { connections: event.connections };
    case "stopped":
      return {
        connections: event.connections,
        messages: event.messages,
        bytes: event.bytes,
        duration_ms: milliseconds(event.duration),
      };
  }
}

function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
