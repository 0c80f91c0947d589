import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { escapeControls } from "../../../lib/escape.ts";
import { messages } from "../../../lib/cli/messages.ts";
import type { Endpoint } from "../../../lib/endpoint.ts";
import type { EchoedEvent, ServerEvent } from "../../../server/events.ts";
import { textLog, type TextLogOptions } from "../../../server/views/text_log.ts";
import { ManualTimers } from "../../helpers/manual_timers.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 65456 };
const local: Endpoint = { transport: "unix", path: "/run/meari.sock" };
const peer = { transport: "tcp", hostname: "127.0.0.1", port: 50123 } as const;
const unnamed = { transport: "unix", path: null } as const;

/** What a log writes of events, and what of errors, in less than a second. */
function logged(events: ServerEvent[], options: Partial<TextLogOptions> = {}): { lines: string[]; errors: string[] } {
  using _timers = new ManualTimers();
  const lines: string[] = [], errors: string[] = [];
  const log = textLog({
    messages: messages.en,
    datagramsOnly: false,
    detail: "normal",
    quiet: false,
    write: (line) => lines.push(line),
    writeError: (line) => errors.push(line),
    ...options,
  });
  for (const event of events) log(event);
  return { lines, errors };
}

/** The events of one connection that echoes these messages one after another. */
function echoes(...contents: (string | Uint8Array)[]): EchoedEvent[] {
  let offset = 0;
  return contents.map((content) => {
    const message = typeof content === "string" ? encode(content) : content;
    const event: EchoedEvent = { type: "echoed", endpoint, connection: 1, peer, message, offset };
    offset += message.length;
    return event;
  });
}

const shown = (events: ServerEvent[], options?: Partial<TextLogOptions>) =>
  logged(events, options).lines.map((line) => line.replace(/^> echoed: /, "")).join("");

const end = { how: "closed", messages: 0, bytes: 0, duration: 1 } as const;

const conversation: ServerEvent[] = [
  { type: "listening", endpoint, engine: "native" },
  { type: "listening", endpoint: local, engine: "portable" },
  { type: "connected", endpoint, connection: 1, peer },
  ...echoes("안녕", "quit"),
  { type: "disconnected", endpoint, connection: 1, peer, how: "quit", messages: 2, bytes: 10, duration: 1234 },
  { type: "stopping", connections: 0 },
  { type: "stopped", connections: 1, messages: 2, bytes: 10, refused: {}, replaced: 0, duration: 65_000 },
];

Deno.test("textLog() writes the seed's lines to the letter when the language is Korean", () => {
  assertEquals(logged(conversation, { messages: messages.ko }), {
    lines: [
      "> 에코 서버 활성화",
      "> tcp://127.0.0.1:65456 에서 대기 중 (native)",
      "> unix:///run/meari.sock 에서 대기 중 (portable)",
      "> client connected by IP address 127.0.0.1 with Port number 50123",
      "> echoed: 안녕",
      "> echoed: quit",
      "> 클라이언트 127.0.0.1:50123 quit 으로 종료: 메시지 2개, 10 bytes, 1.23s",
      "> 연결 1개, 메시지 2개, 10 bytes, 1m 5s 동안 처리",
      "> 에코 서버 비활성화",
    ],
    errors: [],
  });
});

Deno.test("textLog() writes the same in English when the language is English", () => {
  const { lines } = logged(conversation);
  assertEquals(lines.slice(0, 7), [
    "> echo server started",
    "> listening on tcp://127.0.0.1:65456 (native)",
    "> listening on unix:///run/meari.sock (portable)",
    "> client connected by IP address 127.0.0.1 with Port number 50123",
    "> echoed: 안녕",
    "> echoed: quit",
    "> client 127.0.0.1:50123 said quit: 2 messages, 10 bytes, 1.23s",
  ]);
  assertEquals(lines.at(-1), "> echo server stopped");
});

Deno.test("textLog() names the server as the seed's UDP server does when it serves datagrams only", () => {
  const events: ServerEvent[] = [conversation[0]!, conversation.at(-1)!];
  const { lines } = logged(events, { messages: messages.ko, datagramsOnly: true });
  assertEquals([lines.at(0), lines.at(-1)], ["> 서버 활성화", "> 서버 비활성화"]);
});

Deno.test("textLog() writes IPv4 peers of a socket for both families as IPv4, and Unix peers by the endpoint", () => {
  const mapped = { transport: "tcp", hostname: "::ffff:127.0.0.1", port: 9 } as const;
  const { lines } = logged([
    { type: "connected", endpoint, connection: 1, peer: mapped },
    { type: "disconnected", endpoint, connection: 1, peer: mapped, ...end },
    { type: "connected", endpoint: local, connection: 2, peer: unnamed },
    { type: "disconnected", endpoint: local, connection: 2, peer: unnamed, ...end },
  ]);
  assertEquals(lines, [
    "> client connected by IP address 127.0.0.1 with Port number 9",
    "> client 127.0.0.1:9 disconnected: 0 messages, 0 bytes, 1ms",
    "> client connected by Unix socket /run/meari.sock",
    "> client unix:///run/meari.sock disconnected: 0 messages, 0 bytes, 1ms",
  ]);
});

Deno.test("textLog() shows whole characters when Korean text is split at every byte", () => {
  const text = "메아리가 산다 🏔";
  const bytes = encode(text);
  for (let at = 0; at <= bytes.length; at++) {
    assertEquals(shown(echoes(bytes.subarray(0, at), bytes.subarray(at))), text);
  }
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const lines = logged(echoes(...single), { detail: "verbose" }).lines;
  assertEquals(lines.map((line) => /^> echoed: (.*) \(1 byte, #1\)$/.exec(line)![1]).join(""), text);
});

Deno.test("textLog() shows the text that was sent when it is split in any way over several connections", () => {
  const texts = fc.array(fc.tuple(fc.string({ unit: "grapheme", maxLength: 40, size: "max" }), fc.array(fc.nat(60))), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(fc.property(texts, (texts) => {
    const queues = texts.map(([text, cuts], i) => {
      const bytes = encode(text);
      const borders = [...new Set([0, ...cuts, bytes.length])].filter((n) => n <= bytes.length).sort((a, b) => a - b);
      const parts = borders.slice(1).map((end, n) => bytes.subarray(borders[n], end));
      return echoes(...parts).map((event) => ({ ...event, connection: i + 1 }));
    });
    const lines: string[] = texts.map(() => "");
    const byConnection = textLog({
      messages: messages.en,
      datagramsOnly: false,
      detail: "verbose",
      quiet: false,
      write: (line) => {
        const [, text, connection] = /^> echoed: (.*) \(.*, #(\d+)\)$/s.exec(line)!;
        lines[Number(connection) - 1]! += text!;
      },
      writeError: () => {},
    });
    for (let n = 0; queues.some((queue) => n < queue.length); n++) {
      for (const queue of queues) if (queue[n]) byConnection(queue[n]!);
    }
    assertEquals(lines, texts.map(([text]) => escapeControls(text)));
  }));
});

Deno.test("textLog() waits for the rest of a character when a read holds no whole one, unless every read is asked for", () => {
  const [first, second] = [encode("메").subarray(0, 1), encode("메").subarray(1)];
  assertEquals(logged(echoes(first, second)).lines, ["> echoed: 메"]);
  assertEquals(logged(echoes(first, second), { detail: "verbose" }).lines, [
    "> echoed:  (1 byte, #1)",
    "> echoed: 메 (2 bytes, #1)",
  ]);
});

Deno.test("textLog() shows no half of a character when messages in between were left out", () => {
  const [first, , last] = echoes(
    encode("가나").subarray(0, 4),
    encode("나다").subarray(1, 4),
    encode("다라").subarray(1),
  );
  assertEquals(shown([first!, last!]), "가라");
});

Deno.test("textLog() shows a replacement character when bytes are no text", () => {
  assertEquals(shown(echoes(Uint8Array.of(0x61, 0xff, 0x62))), "a\ufffdb");
});

Deno.test("textLog() begins a connection's text anew when an earlier connection ended within a character", () => {
  const half = encode("메").subarray(0, 2);
  const end = { type: "disconnected", endpoint, peer, how: "closed", messages: 1, bytes: 2, duration: 1 } as const;
  const [event] = echoes(half), [next] = echoes("a");
  assertEquals(logged([event!, { ...end, connection: 1 }, next!]).lines.at(-1), "> echoed: a");
});

Deno.test("textLog() never writes a control character when an echoed message holds any", () => {
  const controls = Uint8Array.from({ length: 256 }, (_, code) => code).filter((code) => code < 32 || code >= 127);
  for (const detail of ["normal", "verbose", "trace"] as const) {
    const text = logged(echoes(controls, "\u009b31m\u202e\x1b[2J"), { detail }).lines.join("");
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(text), null);
  }
  assertEquals(shown(echoes("a\x1b[31m\r\n")), "a\\x1b[31m\\r\\n");
});

Deno.test("textLog() shows an empty message when a datagram is empty", () => {
  const [event] = echoes("");
  const datagram = { ...event!, connection: undefined };
  assertEquals(logged([datagram]).lines, ["> echoed: "]);
  assertEquals(logged([datagram], { detail: "trace" }).lines, ["> echoed:  (0 bytes, 127.0.0.1:50123)"]);
});

Deno.test("textLog() shows the start and the size of a message when it is long, and all of it when asked", () => {
  const long = "x".repeat(257);
  assertEquals(logged(echoes("x".repeat(256))).lines, [`> echoed: ${"x".repeat(256)}`]);
  assertEquals(logged(echoes(long)).lines, [`> echoed: ${"x".repeat(256)}… (257 bytes)`]);
  assertEquals(logged(echoes(long), { detail: "verbose" }).lines, [`> echoed: ${long} (257 bytes, #1)`]);
});

Deno.test("textLog() adds a hex dump to each message when tracing", () => {
  assertEquals(logged(echoes("메a\n"), { detail: "trace" }).lines, [
    "> echoed: 메a\\n (5 bytes, #1)",
    "00000000  eb a9 94 61 0a                                    |...a.|",
  ]);
});

/** So many clients that come, say something, and go. */
function visits(count: number): ServerEvent[] {
  return Array.from({ length: count }, (_, i) => i + 1).flatMap((connection): ServerEvent[] => [
    { type: "connected", endpoint, connection, peer },
    { type: "echoed", endpoint, connection, peer, message: encode("hi"), offset: 0 },
    { type: "disconnected", endpoint, connection, peer, how: "reset", messages: 1, bytes: 2, duration: 1 },
  ]);
}

Deno.test("textLog() keeps each kind of line to its rate, and its sums add up, when strangers come in thousands", () => {
  using timers = new ManualTimers();
  const lines: string[] = [], errors: string[] = [];
  const log = textLog({
    messages: messages.en,
    datagramsOnly: false,
    detail: "normal",
    quiet: false,
    write: (line) => lines.push(line),
    writeError: (line) => errors.push(line),
  });
  const failure: ServerEvent = { type: "failed", endpoint, operation: "accept", cause: "too many open files" };
  const refusal: ServerEvent = { type: "refused", endpoint, peer, reason: "repeats" };
  for (const event of [...visits(2000), ...Array(1000).fill(failure), ...Array(3000).fill(refusal)]) log(event);
  assertEquals([lines.length, errors.length], [3 * 20 + 5, 5]);
  timers.advance(1000);
  assertEquals(lines.slice(-4).sort(), [
    "> 1980 more clients connected, not shown",
    "> 1980 more clients disconnected, not shown",
    "> 2995 more datagrams not answered, not shown",
    "> echoed 1980 more messages (3960 bytes), not shown",
  ]);
  assertEquals(errors.slice(-1), ["995 more failures, not shown"]);
  assertEquals(timers.pending, 0);
  // Once a second is over there are lines again.
  for (const event of [...visits(21), failure]) log(event);
  const counts = { connections: 2021, messages: 2021, bytes: 4042, replaced: 0 };
  log({ type: "stopped", ...counts, refused: { repeats: 3000 }, duration: 1000 });
  assertEquals(timers.pending, 0);
  assertEquals(lines.slice(-6), [
    "> 1 more client connected, not shown",
    "> echoed 1 more message (2 bytes), not shown",
    "> 1 more client disconnected, not shown",
    "> served 2021 connections, 2021 messages, 4042 bytes in 1s",
    "> 3000 datagrams not answered",
    "> echo server stopped",
  ]);
});

Deno.test("textLog() sums up what the server has left out with what it leaves out itself", () => {
  using timers = new ManualTimers();
  const lines: string[] = [], errors: string[] = [];
  const log = textLog({
    messages: messages.en,
    datagramsOnly: false,
    detail: "normal",
    quiet: false,
    write: (line) => lines.push(line),
    writeError: (line) => errors.push(line),
  });
  for (const event of visits(25)) log(event);
  lines.length = 0;
  const rest = { type: "omitted", count: 100, bytes: 0 } as const;
  for (const kind of ["connected", "refused", "failed"] as const) log({ ...rest, of: kind });
  log({ type: "omitted", of: "echoed", count: 100, bytes: 1000 });
  assertEquals([lines, errors], [[], []]);
  timers.advance(1000);
  assertEquals(lines.sort(), [
    "> 100 more datagrams not answered, not shown",
    "> 105 more clients connected, not shown",
    "> 5 more clients disconnected, not shown",
    "> echoed 105 more messages (1010 bytes), not shown",
  ]);
  assertEquals([errors, timers.pending], [["100 more failures, not shown"], 0]);
});

Deno.test("textLog() says how large a socket's buffer is when it is smaller than it should be", () => {
  const small: ServerEvent = {
    type: "listening",
    endpoint,
    engine: "native",
    smallBuffer: { given: 212992, asked: 4194304 },
  };
  const line = (language: "en" | "ko") => logged([small], { messages: messages[language] }).lines[1];
  assertEquals([line("en"), line("ko")], [
    "> listening on tcp://127.0.0.1:65456 (native; receive buffer 208 KiB of 4 MiB, net.core.rmem_max allows no more)",
    "> tcp://127.0.0.1:65456 에서 대기 중 (native; 수신 버퍼 208 KiB (요청 4 MiB, net.core.rmem_max 의 한도))",
  ]);
});

Deno.test("textLog() writes to the errors what serves in place of native sockets, and of workers that died, also when quiet", () => {
  const events: ServerEvent[] = [
    { type: "fallback", cause: "they need Linux, and this is darwin" },
    { type: "replaced", worker: 1, cause: "a bug of ours" },
  ];
  const errors = [
    "serving with Deno's own sockets, not with native ones: they need Linux, and this is darwin",
    "worker 1 died and was replaced, its connections are gone: a bug of ours",
  ];
  for (const quiet of [false, true]) assertEquals(logged(events, { quiet }), { lines: [], errors });
});

Deno.test("textLog() shows every connection and message, and still not every failure, when all is asked for", () => {
  const failures: ServerEvent[] = Array(9).fill({ type: "failed", endpoint, operation: "receive", cause: "x" });
  for (const detail of ["verbose", "trace"] as const) {
    const { lines, errors } = logged([...visits(100), ...failures], { detail });
    assertEquals(lines.filter((line) => line.startsWith("> ")).length, 300);
    assertEquals(errors.length, 5);
  }
});

Deno.test("textLog() shows failures alone, and sums up the rest of them, when it is quiet", () => {
  const failures: ServerEvent[] = Array(7).fill({ type: "failed", endpoint, operation: "accept", cause: "x" });
  const { lines, errors } = logged([...conversation.slice(0, -1), ...failures, conversation.at(-1)!], { quiet: true });
  assertEquals([lines, errors.length, errors.at(-1)], [[], 6, "2 more failures, not shown"]);
  const one = logged([...failures.slice(0, 6), conversation.at(-1)!], { quiet: true });
  assertEquals(one.errors.at(-1), "1 more failure, not shown");
});

Deno.test("textLog() tells which datagram was not answered, and why, in the user's language", () => {
  const local: Endpoint = { transport: "unixgram", path: "/run/meari.sock" };
  const events: ServerEvent[] = [
    { type: "refused", endpoint, peer: { transport: "udp", hostname: "::1", port: 7 }, reason: "answering port" },
    { type: "refused", endpoint: local, peer: { transport: "unixpacket", path: null }, reason: "no return address" },
    { type: "refused", endpoint: local, peer: { transport: "unixpacket", path: "/a" }, reason: "peer does not read" },
  ];
  assertEquals(logged(events).lines, [
    "> datagram from [::1]:7 not answered: answering port",
    "> datagram from (unnamed) not answered: no return address",
    "> datagram from /a not answered: peer does not read",
  ]);
  assertEquals(logged(events, { messages: messages.ko }).lines, [
    "> [::1]:7 의 데이터그램에 응답하지 않음: 답에 다시 답하는 포트",
    "> (unnamed) 의 데이터그램에 응답하지 않음: 답할 주소가 없음",
    "> /a 의 데이터그램에 응답하지 않음: 상대가 읽지 않음",
  ]);
});

Deno.test("textLog() forges no line, title, direction or gap when names were chosen to do so", () => {
  const path = `/tmp/x\n> client 10.0.0.9:1 said quit\x1b]0;PWN\x07\u202e\u200b\u{e0041}\x9b2J`;
  const shown = "/tmp/x\\n> client 10.0.0.9:1 said quit\\x1b]0;PWN\\x07\\u202e\\u200b\\u{e0041}\\x9b2J";
  const evil: Endpoint = { transport: "unixgram", path };
  const peer = { transport: "unixpacket", path } as const;
  const message = encode("hi");
  for (const detail of ["normal", "verbose", "trace"] as const) {
    const { lines, errors } = logged([
      { type: "listening", endpoint: evil, engine: "portable" },
      { type: "connected", endpoint: { transport: "unix", path }, connection: 1, peer: unnamed },
      { type: "echoed", endpoint: evil, connection: undefined, peer, message, offset: 0 },
      { type: "refused", endpoint: evil, peer, reason: "repeats" },
      { type: "failed", endpoint: evil, operation: "send", peer, cause: "no such file or directory" },
      { type: "disconnected", endpoint: { transport: "unix", path }, connection: 1, peer: unnamed, ...end },
    ], { detail });
    for (const line of [...lines, ...errors]) {
      assertEquals(/[^\P{C}\n]|\n(?!\d{8})/u.exec(line), null);
    }
    assertEquals(lines.filter((line) => line.includes("not answered")), [
      `> datagram from ${shown} not answered: repeats`,
    ]);
    assertEquals(errors[0]?.endsWith(`send to ${shown} failed: no such file or directory`), true);
    if (detail !== "normal") assertEquals(lines.includes(`> echoed: hi (2 bytes, ${shown})`), true);
  }
});

Deno.test("textLog() says how many connections are open when the server stops, if any", () => {
  assertEquals(logged([{ type: "stopping", connections: 0 }]).lines, []);
  assertEquals(logged([{ type: "stopping", connections: 2 }]).lines.length, 1);
});

Deno.test("textLog() writes failures to the errors with place, operation, peer and cause when they happen", () => {
  const udp: Endpoint = { transport: "udp", host: "::1", port: 7 };
  const to = { transport: "udp", hostname: "::1", port: 9 } as const;
  assertEquals(
    logged([
      { type: "failed", endpoint, operation: "accept", cause: "too many open files" },
      { type: "failed", endpoint: udp, operation: "send", peer: to, cause: "host unreachable" },
      { type: "failed", endpoint: local, operation: "send", peer: unnamed, cause: "invalid address" },
    ]),
    {
      lines: [],
      errors: [
        "tcp://127.0.0.1:65456: accept failed: too many open files",
        "udp://[::1]:7: send to [::1]:9 failed: host unreachable",
        "unix:///run/meari.sock: send to (unnamed) failed: invalid address",
      ],
    },
  );
});
