import { assert, assertEquals, assertMatch } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import {
  meari,
  type RunningMeari,
  start,
  startMeariServer,
  startOnFullDevice,
  startRedirected,
} from "../helpers/meari.ts";
import { connectSoon } from "../helpers/connect_soon.ts";
import { assertEchoes, connect, noise, readBytes, readToEnd, writeAll } from "../helpers/streams.ts";
import { StuckClient } from "../helpers/stuck_client.ts";
import { exists, TempFolder } from "../helpers/temp_folder.ts";
import { type Endpoint, parseEndpoint } from "../../lib/endpoint.ts";
import { serviceOptions } from "../../server/mod.ts";

const encode = (text: string) => new TextEncoder().encode(text);
/** Windows has no signals, shells and Unix sockets as the others do. */
const unixOnly = { ignore: Deno.build.os === "windows" };
/** Only Linux has a device that is always full. */
const linuxOnly = { ignore: Deno.build.os !== "linux" };

/** Sends one datagram and returns what comes back. */
async function exchange(endpoint: Endpoint, bytes: Uint8Array): Promise<Uint8Array> {
  assert("port" in endpoint);
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    await socket.send(bytes, { transport: "udp", hostname: endpoint.host, port: endpoint.port });
    return (await socket.receive())[0];
  } finally {
    socket.close();
  }
}

/** Starts the server and reads where it listens. */
async function serve(args: string[], options: { count?: number; env?: Record<string, string> } = {}) {
  const { server, endpoints } = await startMeariServer(args, options);
  return { server, endpoints: endpoints.map((text) => parseEndpoint(text, { options: serviceOptions })) };
}

/** How a conversation of the seed looks in both languages; SIGINT ends it. */
const languages: [name: string, args: string[], env: Record<string, string>, lines: RegExp[]][] = [
  ["English", [], { LANG: "en_US.UTF-8" }, [
    /^> echo server started$/,
    /^> listening on tcp:\/\/127\.0\.0\.1:[1-9]\d* \((native|portable)\)$/,
    /^> listening on udp:\/\/127\.0\.0\.1:[1-9]\d* \((native|portable)[^)]*\)$/,
    /^> client connected by IP address 127\.0\.0\.1 with Port number \d+$/,
    /^> echoed: 안녕$/,
    /^> client 127\.0\.0\.1:\d+ disconnected: 1 message, 6 bytes, \S+$/,
    /^> echoed: datagram$/,
    /^> served 1 connection, 2 messages, 14 bytes in \S+$/,
    /^> echo server stopped$/,
  ]],
  ["Korean by locale", [], { LANG: "ko_KR.UTF-8" }, korean()],
  ["Korean by --lang", ["--lang", "ko"], { LANG: "en_US.UTF-8" }, korean()],
];

function korean(): RegExp[] {
  return [
    /^> 에코 서버 활성화$/,
    /^> tcp:\/\/127\.0\.0\.1:[1-9]\d* 에서 대기 중 \((native|portable)\)$/,
    /^> udp:\/\/127\.0\.0\.1:[1-9]\d* 에서 대기 중 \((native|portable).*\)$/,
    /^> client connected by IP address 127\.0\.0\.1 with Port number \d+$/,
    /^> echoed: 안녕$/,
    /^> 클라이언트 127\.0\.0\.1:\d+ 연결 종료: 메시지 1개, 6 bytes, \S+$/,
    /^> echoed: datagram$/,
    /^> 연결 1개, 메시지 2개, 14 bytes, \S+ 동안 처리$/,
    /^> 에코 서버 비활성화$/,
  ];
}

for (const [name, args, env, expected] of languages) {
  bounded(`meari-server prints the seed's lines, what a user needs, and a summary at SIGINT in ${name}`, async () => {
    const { server, endpoints } = await serve(["-p", "0", ...args], { count: 2, env });
    await using process = server;
    {
      using conn = await connect(endpoints[0]);
      await assertEchoes(conn, encode("안녕"));
    }
    await process.stdout.until(/disconnected|연결 종료/);
    assertEquals(await exchange(endpoints[1]!, encode("datagram")), encode("datagram"));
    await process.stdout.until(/echoed: datagram/);
    process.kill("SIGINT");
    assertEquals(await process.exit(), 0);
    const { lines } = process.stdout;
    expected.forEach((pattern, i) => assertMatch(lines[i] ?? "", pattern));
    assertEquals(lines.length, expected.length);
    assertEquals(process.stderr.text, "");
  }, unixOnly);
}

bounded("meari-server -p 0 serves TCP and UDP on one port, which the kernel chooses", async () => {
  for (let i = 0; i < 3; i++) {
    const { server, endpoints } = await serve(["-p", "0"], { count: 2 });
    await using _ = server;
    const [tcp, udp] = endpoints.map((endpoint) => (endpoint as { port: number }).port);
    assertEquals(tcp, udp);
  }
});

bounded("meari-server ends at SIGTERM with exit code 0 once what it holds is echoed", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0", "--grace", "15s"]);
  await using process = server;
  using conn = await connect(endpoints[0]);
  const bytes = noise(300_000);
  const sending = writeAll(conn, bytes);
  // The echo has begun, and all is in the buffers on the way.
  assertEquals(await readBytes(conn, 1), bytes.slice(0, 1));
  await sending.catch(() => {});
  process.kill("SIGTERM");
  await process.stdout.until("> stopping; 1 connection open (once more to end at once)");
  assertEquals((await readToEnd(conn)).length, bytes.length - 1);
  assertEquals(await process.exit(), 0);
  assertMatch(
    process.stdout.text,
    /> served 1 connection, \d+ messages, 300000 bytes in \S+\n> echo server stopped\n$/,
  );
}, unixOnly);

bounded("meari-server ends at a signal within the grace time when a client takes nothing", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0", "--grace", "200ms"]);
  await using process = server;
  await using _client = await StuckClient.of(endpoints[0]);
  process.kill("SIGINT");
  assertEquals(await process.exit(), 0);
  assertMatch(process.stdout.text, /> client 127\.0\.0\.1:\d+ cut off: /);
  assertMatch(process.stdout.text, /> echo server stopped\n$/);
}, unixOnly);

bounded("meari-server ends at once with exit code 1 at a second signal", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0", "--grace", "1h"]);
  await using process = server;
  await using _client = await StuckClient.of(endpoints[0]);
  process.kill("SIGINT");
  await process.stdout.until("> stopping; 1 connection open");
  // A signal sooner than 200 ms after the first counts as the same.
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill("SIGTERM");
  assertEquals(await process.exit(), 1);
  assertEquals(process.stderr.text, "meari-server: ended at once, by a second signal\n");
}, unixOnly);

bounded("meari-server takes two signals at once for one", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0"]);
  await using process = server;
  {
    using conn = await connect(endpoints[0]);
    await assertEchoes(conn, encode("hello"));
  }
  process.kill("SIGINT");
  process.kill("SIGTERM");
  assertEquals([await process.exit(), process.stderr.text], [0, ""]);
}, unixOnly);

bounded("meari-server --once ends after the first connection", async () => {
  const { server, endpoints } = await serve(["-p", "0", "--once"], { count: 2 });
  await using process = server;
  {
    using conn = await connect(endpoints[0]);
    await assertEchoes(conn, encode("hello"));
  }
  assertEquals(await process.exit(), 0);
  assertMatch(process.stdout.text, /> served 1 connection, 1 message, 5 bytes in \S+\n> echo server stopped\n$/);
});

bounded("meari-server --once ends after the first datagram", async () => {
  const { server, endpoints } = await serve(["-p", "0", "--once"], { count: 2 });
  await using process = server;
  assertEquals(await exchange(endpoints[1]!, encode("hello")), encode("hello"));
  assertEquals(await process.exit(), 0);
  assertMatch(process.stdout.text, /> served 0 connections, 1 message, 5 bytes in \S+\n> echo server stopped\n$/);
});

bounded("meari-server speaks as the seed's UDP server when it serves datagrams only", async () => {
  const { server, endpoints } = await serve(["udp://127.0.0.1:0", "--once", "--lang", "ko"]);
  await using process = server;
  await exchange(endpoints[0]!, encode("hello"));
  assertEquals(await process.exit(), 0);
  assertEquals([process.stdout.lines.at(0), process.stdout.lines.at(-1)], ["> 서버 활성화", "> 서버 비활성화"]);
});

bounded("meari-server ends a connection at quit, and none with --no-quit", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?no-quit"], { count: 2 });
  await using process = server;
  using conn = await connect(endpoints[0]);
  await writeAll(conn, encode("quit"));
  assertEquals(await readToEnd(conn), encode("quit"));
  await process.stdout.until(/> client \S+ said quit: 1 message, 4 bytes/);
  using other = await connect(endpoints[1]);
  await assertEchoes(other, encode("quit"));
  await assertEchoes(other, encode("more"));
});

/** Says "hello", and a line with an escape byte, over TCP and UDP, and returns what the server printed about it. */
async function shown(...args: string[]): Promise<string> {
  const { server, endpoints } = await serve(["-p", "0", ...args], { count: 2 });
  await using process = server;
  using conn = await connect(endpoints[0]);
  await assertEchoes(conn, encode("hello"));
  await assertEchoes(conn, encode("\x1b]0;owned\x07\r\n"));
  await exchange(endpoints[1]!, encode("\x1b[2J"));
  await process.stdout.until(/\[2J/);
  return process.stdout.text;
}

bounded("meari-server shows control bytes escaped and sends none to the terminal", async () => {
  for (const args of [[], ["-v"], ["--trace"]]) {
    const text = await shown(...args);
    assertMatch(text, /> echoed: \\x1b\]0;owned\\x07\\r\\n/);
    assertMatch(text, /> echoed: \\x1b\[2J/);
    assertEquals(/[^\P{Cc}\n]/u.exec(text), null);
  }
});

bounded("meari-server -v shows each message with its size and sender", async () => {
  const text = await shown("-v");
  assertMatch(text, /^> echoed: hello \(5 bytes, #1\)$/m);
  assertMatch(text, /^> echoed: \\x1b\[2J \(4 bytes, 127\.0\.0\.1:\d+\)$/m);
});

bounded("meari-server --trace adds a hex dump", async () => {
  const text = await shown("--trace");
  assertMatch(text, /^> echoed: hello \(5 bytes, #1\)\n00000000 {2}68 65 6c 6c 6f {36}\|hello\|$/m);
});

bounded("meari-server -q prints nothing and serves", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  await using process = start("meari-server", [`unix://${path}`, "-q"]);
  {
    using conn = await connectSoon({ transport: "unix", path });
    await assertEchoes(conn, encode("hello"));
  }
  process.kill("SIGTERM");
  assertEquals([await process.exit(), process.stdout.text, process.stderr.text], [0, "", ""]);
}, unixOnly);

bounded("meari-server serves Unix sockets and removes their files at the end", async () => {
  using folder = new TempFolder();
  const paths = [folder.file("stream.sock"), folder.file("datagram.sock")];
  const { server, endpoints } = await serve([`unix://${paths[0]}`, `unixgram://${paths[1]}`], { count: 2 });
  await using process = server;
  {
    using conn = await connect(endpoints[0]);
    await assertEchoes(conn, encode("hello"));
  }
  assertEquals(paths.map(exists), [true, true]);
  process.kill("SIGTERM");
  assertEquals(await process.exit(), 0);
  assertEquals(paths.map(exists), [false, false]);
  assertMatch(process.stdout.text, /^> client connected by Unix socket .*stream\.sock$/m);
}, unixOnly);

/** What each event holds, besides `time` and `event`, and of which type. */
const schema: Record<string, Record<string, string>> = {
  listening: { endpoint: "string", engine: "string" },
  connected: { endpoint: "string", connection: "number", peer: "string" },
  echoed: { endpoint: "string", connection: "number", peer: "string", bytes: "number", text: "string" },
  disconnected: {
    endpoint: "string",
    connection: "number",
    peer: "string",
    how: "string",
    messages: "number",
    bytes: "number",
    duration_ms: "number",
  },
  stopping: { connections: "number" },
  stopped: { connections: "number", messages: "number", bytes: "number", refused: "object", duration_ms: "number" },
};

bounded("meari-server --log json prints each event as one JSON object a line, to its schema", async () => {
  const { server, endpoints } = await serve(["-p", "0", "--log", "json"], { count: 2 });
  await using process = server;
  {
    using conn = await connect(endpoints[0]);
    await assertEchoes(conn, encode('안녕 "\n'));
  }
  await process.stdout.until('"disconnected"');
  await exchange(endpoints[1]!, encode("datagram"));
  await process.stdout.until('"datagram"');
  process.kill("SIGTERM");
  assertEquals(await process.exit(), 0);
  const events = process.stdout.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assertEquals(
    events.map(({ event }) => event),
    ["listening", "listening", "connected", "echoed", "disconnected", "echoed", "stopping", "stopped"],
  );
  for (const { time, event, ...details } of events) {
    assertMatch(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const expected = { ...schema[String(event)] };
    // A datagram belongs to no connection.
    if (String(details.endpoint).startsWith("udp:")) delete expected.connection;
    // Only a system that gives less than was asked for.
    if ("asked_bytes" in details) Object.assign(expected, { receive_buffer_bytes: "number", asked_bytes: "number" });
    assertEquals(Object.fromEntries(Object.entries(details).map(([key, value]) => [key, typeof value])), expected);
  }
  assertEquals(events[3]?.text, '안녕 "\n');
  assertEquals([events.at(-1)?.messages, events.at(-1)?.bytes], [2, 17]);
}, unixOnly);

bounded("meari-server prints few of a flood of messages and sums up the rest", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0"]);
  await using process = server;
  using conn = await connect(endpoints[0]);
  const flood = 300;
  for (let i = 0; i < flood; i++) await assertEchoes(conn, encode("flood"));
  await process.stdout.until(/not shown/);
  process.kill("SIGTERM");
  assertEquals(await process.exit(), 0);
  const rest = /^> echoed (\d+) more messages? \(.*\), not shown$/;
  const unshown = process.stdout.lines.flatMap((line) => rest.exec(line)?.slice(1).map(Number) ?? []);
  const lines = process.stdout.lines.filter((line) => line === "> echoed: flood").length;
  // Each second has at most twenty lines and then says what else there was; a last second may have no rest.
  assert(lines >= 20 && lines <= 20 * (unshown.length + 1), `${lines} lines and ${unshown.length} sums`);
  assertEquals(lines + unshown.reduce((sum, count) => sum + count, 0), flood);
}, unixOnly);

/** Checks that a server whose stdout fails says so once and goes on. */
async function assertGoesOn(process: RunningMeari, endpoint: Endpoint, stderr: string): Promise<void> {
  const told = process.stderr.until("goes on without it");
  // The first lines may still get into the pipe.
  for (let after = 0; after < 3;) {
    using conn = await connectSoon(endpoint);
    await assertEchoes(conn, encode("hello"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (process.stderr.text.includes("\n")) after++;
  }
  await told;
  process.kill("SIGTERM");
  assertEquals([await process.exit(), process.stderr.text], [0, `meari-server: cannot write the log: ${stderr}\n`]);
}

bounded("meari-server says once that nobody reads its output any more, and goes on serving", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0"]);
  await using process = server;
  await process.stdout.close();
  await assertGoesOn(process, endpoints[0]!, "connection closed by the peer; serving goes on without it");
}, unixOnly);

bounded(
  "meari-server says once that its output was closed or had no reader from the start, and goes on serving",
  async () => {
    using folder = new TempFolder();
    const ways = { ">&-": "stdout is closed or discarded", "> >(true)": "connection closed by the peer" };
    for (const [redirection, cause] of Object.entries(ways)) {
      const path = folder.file("s.sock");
      await using process = startRedirected(redirection, "meari-server", [`unix://${path}`]);
      await assertGoesOn(process, { transport: "unix", path }, `${cause}; serving goes on without it`);
    }
  },
  linuxOnly,
);

bounded("meari-server says nothing of an output that is discarded on purpose", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  await using process = startRedirected("> /dev/null", "meari-server", [`unix://${path}`]);
  using conn = await connectSoon({ transport: "unix", path });
  await assertEchoes(conn, encode("hello"));
  process.kill("SIGTERM");
  assertEquals([await process.exit(), process.stderr.text], [0, ""]);
}, unixOnly);

bounded("meari-server says once that its output is full, and goes on serving", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  await using process = startOnFullDevice("meari-server", [`unix://${path}`]);
  await assertGoesOn(
    process,
    { transport: "unix", path },
    "no space left on the device; serving goes on without it",
  );
}, linuxOnly);

bounded("meari-server says what to do when a port is taken, and serves none of the others", async () => {
  const { server, endpoints } = await serve(["tcp://127.0.0.1:0"]);
  await using _process = server;
  assert("port" in endpoints[0]!);
  const { port } = endpoints[0];
  const { code, text, stderr } = await meari("meari-server", ["udp://127.0.0.1:0", `tcp://127.0.0.1:${port}`]);
  assertEquals([code, text], [1, ""]);
  assertEquals(
    stderr,
    `meari-server: cannot listen on tcp://127.0.0.1:${port}: address already in use; stop the program that has it, ` +
      "choose another port with -p, or let the kernel choose with -p 0\n",
  );
});

bounded("meari-server leaves a live Unix socket alone and replaces a stale one", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  {
    const { server } = await serve([`unix://${path}`]);
    await using process = server;
    const { code, stderr } = await meari("meari-server", [`unix://${path}`]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `meari-server: cannot listen on unix://${path}: address already in use; ` +
        "a server is listening there; stop it, or choose another path\n",
    );
    using conn = await connectSoon({ transport: "unix", path });
    await assertEchoes(conn, encode("still here"));
    // Killed, it leaves its file behind.
    process.kill("SIGKILL");
    await process.exit();
  }
  assertEquals(exists(path), true);
  const { server } = await serve([`unix://${path}`]);
  await using _process = server;
  using conn = await connectSoon({ transport: "unix", path });
  await assertEchoes(conn, encode("hello"));
}, unixOnly);
