import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Endpoint } from "../../../lib/endpoint.ts";
import type { ServerEvent } from "../../../server/events.ts";
import { jsonLine } from "../../../server/views/json_log.ts";
import { MessageTexts } from "../../../server/views/message_texts.ts";

const endpoint: Endpoint = { transport: "tcp", host: "::", port: 7, options: { "no-quit": true } };
const peer = { transport: "tcp", hostname: "::ffff:127.0.0.1", port: 50123 } as const;
const time = new Date(Date.UTC(2023, 0, 11, 1, 2, 3, 4));
const read = (event: ServerEvent) => JSON.parse(jsonLine(event, time));

Deno.test("jsonLine() has the time, the event and what belongs to it with units in the names for each event", () => {
  const at = (event: string) => ({ time: "2023-01-11T01:02:03.004Z", event });
  const where = { endpoint: "tcp://[::]:7?no-quit" };
  const message = new TextEncoder().encode("메아리");
  const counts = { messages: 2, bytes: 10 };
  assertEquals(
    ([
      { type: "listening", endpoint },
      { type: "connected", endpoint, connection: 1, peer },
      { type: "echoed", endpoint, connection: 1, peer, message, offset: 0 },
      { type: "unshown", ...counts },
      { type: "disconnected", endpoint, connection: 1, peer, how: "reset", ...counts, duration: 1.23456 },
      { type: "failed", endpoint, operation: "send", peer, cause: "host unreachable" },
      { type: "stopping", connections: 3 },
      { type: "stopped", connections: 3, ...counts, duration: 2000 },
    ] as ServerEvent[]).map(read),
    [
      { ...at("listening"), ...where },
      { ...at("connected"), ...where, connection: 1, peer: "127.0.0.1:50123" },
      { ...at("echoed"), ...where, connection: 1, peer: "127.0.0.1:50123", bytes: 9, text: "메아리" },
      { ...at("unshown"), ...counts },
      {
        ...at("disconnected"),
        ...where,
        connection: 1,
        peer: "127.0.0.1:50123",
        how: "reset",
        ...counts,
        duration_ms: 1.235,
      },
      { ...at("failed"), ...where, operation: "send", peer: "127.0.0.1:50123", cause: "host unreachable" },
      { ...at("stopping"), connections: 3 },
      { ...at("stopped"), connections: 3, ...counts, duration_ms: 2000 },
    ],
  );
});

Deno.test("jsonLine() leaves out what an event does not have", () => {
  const message = new Uint8Array();
  const echoed = read({ type: "echoed", endpoint, connection: undefined, peer, message, offset: 0 });
  assertEquals([Object.keys(echoed), echoed.text], [["time", "event", "endpoint", "peer", "bytes", "text"], ""]);
  const failed = read({ type: "failed", endpoint, operation: "accept", cause: "too many open files" });
  assertEquals("peer" in failed, false);
});

Deno.test("jsonLine() is one line that holds the text and the size when the message is any", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ufeffa\r\n\u2028\0")), (text) => {
    const message = new TextEncoder().encode(text);
    const line = jsonLine({ type: "echoed", endpoint, connection: 1, peer, message, offset: 0 }, time);
    assertEquals(/[\r\n]/.test(line), false);
    const { bytes, text: shown } = JSON.parse(line);
    assertEquals([bytes, shown], [message.length, text]);
  }));
});

Deno.test("jsonLine() decodes a character that is split between two reads with the second of them", () => {
  const texts = new MessageTexts();
  const bytes = new TextEncoder().encode("메");
  const read = (message: Uint8Array, offset: number) => {
    const peer = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
    const event = { type: "echoed", endpoint, connection: 1, peer, message, offset } as const;
    return JSON.parse(jsonLine(event, time, texts)).text;
  };
  assertEquals([read(bytes.subarray(0, 2), 0), read(bytes.subarray(2), 2)], ["", "메"]);
});
