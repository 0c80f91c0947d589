import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Endpoint } from "../../../lib/endpoint.ts";
import type { ServerEvent } from "../../../server/events.ts";
import { jsonLine, jsonLog, type JsonLogOptions } from "../../../server/views/json_log.ts";
import { ManualTimers } from "../../helpers/manual_timers.ts";

const endpoint: Endpoint = { transport: "tcp", host: "::", port: 7, options: { "no-quit": true } };
const peer = { transport: "tcp", hostname: "::ffff:127.0.0.1", port: 50123 } as const;
const encode = (text: string) => new TextEncoder().encode(text);

/** The lines of a log of events in less than a second. */
function lines(events: ServerEvent[], options: Partial<JsonLogOptions> = {}): string[] {
  using _timers = new ManualTimers();
  const lines: string[] = [];
  const log = jsonLog({ everyMessage: false, quiet: false, write: (line) => lines.push(line), ...options });
  for (const event of events) log(event);
  return lines;
}

/** What the lines hold, without the time, which is of the form it should be. */
function logged(events: ServerEvent[], options?: Partial<JsonLogOptions>): Record<string, unknown>[] {
  return lines(events, options).map((line) => {
    const { time, ...about } = JSON.parse(line);
    assertEquals(new Date(time).toISOString(), time);
    return about;
  });
}

const echoed = (message: Uint8Array): ServerEvent => ({
  type: "echoed",
  endpoint,
  connection: 1,
  peer,
  message,
  offset: 0,
});

Deno.test("jsonLog() has the event and what belongs to it with units in the names for each event", () => {
  const where = { endpoint: "tcp://[::]:7?no-quit" };
  const counts = { messages: 2, bytes: 10 };
  assertEquals(
    logged([
      { type: "fallback", cause: "they need Linux" },
      { type: "listening", endpoint, engine: "portable" },
      { type: "listening", endpoint, engine: "native", smallBuffer: { given: 212_992, asked: 4_194_304 } },
      { type: "connected", endpoint, connection: 1, peer },
      echoed(encode("메아리")),
      { type: "refused", endpoint, peer, reason: "own address" },
      { type: "disconnected", endpoint, connection: 1, peer, how: "reset", ...counts, duration: 1.23456 },
      { type: "failed", endpoint, operation: "send", peer, cause: "host unreachable" },
      { type: "replaced", worker: 1, cause: "a bug of ours" },
      { type: "stopping", connections: 3 },
      { type: "stopped", connections: 3, ...counts, refused: { "own address": 1 }, replaced: 2, duration: 2000 },
    ]),
    [
      { event: "fallback", engine: "portable", cause: "they need Linux" },
      { event: "listening", ...where, engine: "portable" },
      { event: "listening", ...where, engine: "native", receive_buffer_bytes: 212_992, asked_bytes: 4_194_304 },
      { event: "connected", ...where, connection: 1, peer: "127.0.0.1:50123" },
      { event: "echoed", ...where, connection: 1, peer: "127.0.0.1:50123", bytes: 9, text: "메아리" },
      { event: "refused", ...where, peer: "127.0.0.1:50123", reason: "own address" },
      {
        event: "disconnected",
        ...where,
        connection: 1,
        peer: "127.0.0.1:50123",
        how: "reset",
        ...counts,
        duration_ms: 1.235,
      },
      { event: "failed", ...where, operation: "send", peer: "127.0.0.1:50123", cause: "host unreachable" },
      { event: "replaced", worker: 1, cause: "a bug of ours" },
      { event: "stopping", connections: 3 },
      { event: "stopped", connections: 3, ...counts, refused: { "own address": 1 }, replaced: 2, duration_ms: 2000 },
    ],
  );
});

Deno.test("jsonLog() leaves out what an event does not have", () => {
  const [datagram, failed] = logged([
    { type: "echoed", endpoint, connection: undefined, peer, message: new Uint8Array(), offset: 0 },
    { type: "failed", endpoint, operation: "accept", cause: "too many open files" },
  ]);
  assertEquals([Object.keys(datagram!), datagram!.text], [["event", "endpoint", "peer", "bytes", "text"], ""]);
  assertEquals(Object.keys(failed!), ["event", "endpoint", "operation", "cause"]);
});

Deno.test("jsonLog() sums up what the server has left out, without a line of its own for that", () => {
  using timers = new ManualTimers();
  const lines: string[] = [];
  const log = jsonLog({ everyMessage: false, quiet: false, write: (line) => lines.push(line) });
  log({ type: "omitted", of: "echoed", count: 100, bytes: 1000 });
  log({ type: "omitted", of: "failed", count: 3, bytes: 0 });
  assertEquals(lines, []);
  timers.advance(1000);
  assertEquals(lines.map((line) => ({ ...JSON.parse(line), time: 0 })), [
    { time: 0, event: "unshown", of: "echoed", messages: 100, bytes: 1000 },
    { time: 0, event: "unshown", of: "failed", count: 3 },
  ]);
});

Deno.test("jsonLog() has each message as text in one line when it is any UTF-8", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ufeffa\r\n\u2028\0")), (text) => {
    const message = encode(text);
    const [line, ...more] = lines([echoed(message)]);
    assertEquals([/[\r\n]/.test(line!), more], [false, []]);
    const { bytes, text: shown, base64 } = JSON.parse(line!);
    assertEquals([bytes, shown, base64], [message.length, text, undefined]);
  }));
});

Deno.test("jsonLog() has each message to the byte, in base64 where it is no UTF-8, when it is any", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.string().map(encode)), (message) => {
    const [{ bytes, text, base64 }] = logged([echoed(message)]) as [
      { bytes: number; text?: string; base64?: string },
    ];
    assertEquals([bytes, text === undefined], [message.length, base64 !== undefined]);
    assertEquals(base64 === undefined ? encode(text!) : Uint8Array.fromBase64(base64), new Uint8Array(message));
  }));
  // A character that is split between two reads is in neither of them.
  const bytes = encode("메");
  assertEquals(logged([echoed(bytes.subarray(0, 2)), echoed(bytes.subarray(2))]).map(({ base64 }) => base64), [
    "66k=",
    "lA==",
  ]);
});

Deno.test("jsonLog() has the beginning of a large message, and all of it where every message is asked for", () => {
  const large = (text: string) => echoed(encode(text));
  const shown = (event: ServerEvent, everyMessage = false) => {
    const [{ bytes, shown_bytes, text, base64 }] = logged([event], { everyMessage }) as [Record<string, unknown>];
    return [bytes, shown_bytes, text ?? base64];
  };
  assertEquals(shown(large("a".repeat(256))), [256, undefined, "a".repeat(256)]);
  assertEquals(shown(large("a".repeat(257))), [257, 256, "a".repeat(256)]);
  // A character at the end is there as a whole or not at all.
  assertEquals(shown(large("메".repeat(100))), [300, 255, "메".repeat(85)]);
  assertEquals(shown(large(`ab${"😀".repeat(100)}`)), [402, 254, `ab${"😀".repeat(63)}`]);
  const noText = new Uint8Array(300).fill(0xff);
  assertEquals(shown(echoed(noText)), [300, 256, noText.subarray(0, 256).toBase64()]);
  // What never ends within a character is no text: it is cut nearly where it should be.
  const noEnd = new Uint8Array(300).fill(0x80);
  assertEquals(shown(echoed(noEnd)), [300, 253, noEnd.subarray(0, 253).toBase64()]);
  assertEquals(shown(large("메".repeat(100)), true), [300, undefined, "메".repeat(100)]);
});

Deno.test("jsonLog() has names exactly, and nothing that a terminal acts on or hides, when they were chosen to forge", () => {
  const path = `/tmp/x\n{"event":"stopped"} \x1b]0;PWN\x07\u202e\u200b\u{e0041}\x9b2J\x7f`;
  const peer = { transport: "unixpacket", path } as const;
  const local: Endpoint = { transport: "unixgram", path: "/run/meari.sock" };
  const written = lines([
    { type: "echoed", endpoint: local, connection: undefined, peer, message: encode(path), offset: 0 },
    { type: "refused", endpoint: local, peer, reason: "repeats" },
    { type: "failed", endpoint: local, operation: "send", peer, cause: "connection refused" },
  ]);
  assertEquals(written.map((line) => /\p{C}/u.exec(line)), [null, null, null]);
  assertEquals(written.map((line) => JSON.parse(line).peer), [path, path, path]);
  assertEquals(JSON.parse(written[0]!).text, path);
});

Deno.test("jsonLog() keeps each kind of event to its rate, and its sums add up, when strangers come in thousands", () => {
  using timers = new ManualTimers();
  const lines: string[] = [];
  const log = jsonLog({ everyMessage: false, quiet: false, write: (line) => lines.push(line) });
  const counts = { messages: 1, bytes: 2, duration: 1 };
  for (let connection = 1; connection <= 2000; connection++) {
    log({ type: "connected", endpoint, connection, peer });
    log(echoed(encode("hi")));
    log({ type: "refused", endpoint, peer, reason: "repeats" });
    log({ type: "failed", endpoint, operation: "accept", cause: "too many open files" });
    log({ type: "disconnected", endpoint, connection, peer, how: "closed", ...counts });
  }
  assertEquals(lines.length, 3 * 20 + 2 * 5);
  timers.advance(1000);
  assertEquals(lines.slice(70).map((line) => ({ ...JSON.parse(line), time: 0 })).sort((a, b) => a.of < b.of ? -1 : 1), [
    { time: 0, event: "unshown", of: "connected", count: 1980 },
    { time: 0, event: "unshown", of: "disconnected", count: 1980 },
    { time: 0, event: "unshown", of: "echoed", messages: 1980, bytes: 3960 },
    { time: 0, event: "unshown", of: "failed", count: 1995 },
    { time: 0, event: "unshown", of: "refused", count: 1995 },
  ]);
  assertEquals(timers.pending, 0);
});

Deno.test("jsonLog() tells the rest before it tells of the end, and leaves no timer", () => {
  using timers = new ManualTimers();
  const events: unknown[] = [];
  const log = jsonLog({ everyMessage: false, quiet: false, write: (line) => events.push(JSON.parse(line).event) });
  for (let i = 0; i < 21; i++) log(echoed(encode("hi")));
  log({ type: "stopped", connections: 1, messages: 21, bytes: 42, refused: {}, replaced: 0, duration: 1 });
  assertEquals([events.slice(20), timers.pending], [["unshown", "stopped"], 0]);
});

Deno.test("jsonLog() has every message when all are asked for, and failures alone when it is quiet", () => {
  const events: ServerEvent[] = [
    ...Array(100).fill(echoed(encode("hi"))),
    ...Array(6).fill({ type: "failed", endpoint, operation: "accept", cause: "x" }),
    { type: "stopped", connections: 1, messages: 21, bytes: 42, refused: {}, replaced: 0, duration: 1 },
  ];
  const count = (options: Partial<JsonLogOptions>) =>
    Object.fromEntries(
      Map.groupBy(logged(events, options), ({ event }) => event as string).entries().map(([event, all]) =>
        [event, all.length] as const
      ),
    );
  assertEquals(count({ everyMessage: true }), { echoed: 100, failed: 5, unshown: 1, stopped: 1 });
  assertEquals(count({ quiet: true }), { failed: 5, unshown: 1 });
});

Deno.test("jsonLine() has the time, the event and whatever else in one line", () => {
  const { time, ...about } = JSON.parse(jsonLine("lost", { lines: 3 }));
  assertEquals([about, Math.abs(Date.parse(time) - Date.now()) < 10_000], [{ event: "lost", lines: 3 }, true]);
});
