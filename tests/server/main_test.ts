import { assertEquals, assertMatch } from "@std/assert";
import { startServer } from "../../server/mod.ts";
import { bounded } from "../helpers/bounded.ts";
import { ServerProcess, type ServerProcessOptions } from "../helpers/server_process.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";
import { StuckClient } from "../helpers/stuck_client.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const TCP = "tcp://127.0.0.1:0";
const unixOnly = { ignore: Deno.build.os === "windows" };
const encode = (text: string) => new TextEncoder().encode(text);

/** Runs meari-server to its end, which must come by itself. */
async function ending(args: string[], options?: ServerProcessOptions) {
  await using server = new ServerProcess(args, options);
  const { code, stderr } = await server.ended;
  return { code, stderr, stdout: server.lines.join("\n") };
}

bounded("meari-server prints the seed's conversation in Korean when the locale is Korean", async () => {
  await using server = new ServerProcess([TCP, "--once"], { env: { LC_ALL: "ko_KR.UTF-8" } });
  const endpoint = await server.endpoint() as { port: number; host: string; transport: "tcp" };
  using conn = await connect(endpoint);
  for (const text of ["안녕", "quit"]) await assertEchoes(conn, encode(text));
  await conn.closeWrite();
  assertEquals(await server.ended, { code: 0, stderr: "" });
  const { port } = conn.localAddr as Deno.NetAddr;
  assertEquals(server.lines.slice(0, 5), [
    "> 에코 서버 활성화",
    `> tcp://127.0.0.1:${endpoint.port} 에서 대기 중`,
    `> client connected by IP address 127.0.0.1 with Port number ${port}`,
    "> echoed: 안녕",
    "> echoed: quit",
  ]);
  assertMatch(server.lines[5]!, /^> 클라이언트 127\.0\.0\.1:\d+ quit 으로 종료: 메시지 2개, 10 bytes, .+$/);
  assertMatch(server.lines[6]!, /^> 연결 1개, 메시지 2개, 10 bytes, .+ 동안 처리$/);
  assertEquals(server.lines.slice(7), ["> 에코 서버 비활성화"]);
});

bounded("meari-server speaks the language it is told when --lang is given, whatever the locale", async () => {
  await using server = new ServerProcess([TCP, "--lang", "en"], { env: { LC_ALL: "ko_KR.UTF-8" } });
  await server.endpoint();
  assertEquals(server.lines[0], "> echo server started");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  bounded(`meari-server stops in order, prints its summary and exits with 0 when it gets ${signal}`, async () => {
    await using server = new ServerProcess([TCP]);
    using conn = await connect(await server.endpoint());
    await assertEchoes(conn, encode("hello"));
    server.signal(signal);
    assertEquals(await server.ended, { code: 0, stderr: "" });
    assertEquals(await conn.read(new Uint8Array(1)), null);
    assertMatch(server.lines.at(-2)!, /1 connection.* 1 message.* 5 bytes/);
    assertEquals(server.lines.at(-1), "> echo server stopped");
  }, unixOnly);
}

bounded("meari-server ends at once and exits with 1 when it gets a second signal", async () => {
  await using server = new ServerProcess([TCP, "--grace", "1h"]);
  await using _client = await StuckClient.of(await server.endpoint());
  server.signal("SIGINT");
  await server.line((line) => line.startsWith("> stopping"));
  // Signals that come together count as one.
  await new Promise((resolve) => setTimeout(resolve, 300));
  server.signal("SIGINT");
  const { code, stderr } = await server.ended;
  assertEquals([code, stderr], [1, "meari-server: ended at once, by a second signal\n"]);
}, unixOnly);

bounded("meari-server ends when the grace time is over, when a client does not read", async () => {
  await using server = new ServerProcess([TCP, "--grace", "200ms"]);
  await using _client = await StuckClient.of(await server.endpoint());
  server.signal("SIGTERM");
  assertEquals(await server.ended, { code: 0, stderr: "" });
}, unixOnly);

bounded("meari-server says in one line what is wrong, and exits with 1, when it cannot listen", async () => {
  await using taken = await startServer({ endpoints: [TCP] });
  const { port } = taken.endpoints[0] as { port: number };
  const attempts: [string, string][] = [
    [
      `tcp://127.0.0.1:${port}`,
      "address already in use; stop the program that has it, choose another port with -p, or let the kernel choose with -p 0",
    ],
    ["tcp://nowhere.invalid:0", "no such host; check the spelling, or use an IP address of this machine"],
    [
      "udp://203.0.113.1:0",
      "this machine does not have that address; use 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network",
    ],
  ];
  for (const [endpoint, why] of attempts) {
    assertEquals(await ending([endpoint]), {
      code: 1,
      stdout: "",
      stderr: `meari-server: cannot listen on ${endpoint}: ${why}\n`,
    });
  }
});

bounded("meari-server says in one line what is wrong, and exits with 2, when it is called wrongly", async () => {
  const calls: [string[], string][] = [
    [["--onec"], "unknown option --onec; did you mean --once? meari-server --help lists them all"],
    [
      ["7000"],
      '"7000" is not an endpoint: for port 7000 of the default host write :7000 (meari-server --help shows how)',
    ],
    [["-p"], "-p needs a value: -p PORT (meari-server --help shows how)"],
  ];
  for (const [args, why] of calls) {
    assertEquals(await ending(args), { code: 2, stdout: "", stderr: `meari-server: ${why}\n` });
  }
});

bounded("meari-server answers --help and --version on stdout when asked", async () => {
  const help = await ending(["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^An echo server .*\n\nUsage:\n {2}meari-server \[ENDPOINT…\] \[options\]\n/);
  const version = await ending(["--version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^meari-server \d+\.\d+\.\d+ \(deno \S+, \S+\)$/);
});

/** Connects to a server that does not say when it serves. */
async function connectOnceServed(path: string): Promise<Deno.Conn> {
  while (true) {
    try {
      return await connect({ transport: "unix", path });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

bounded("meari-server prints nothing when it is quiet and all is well", async () => {
  using folder = new TempFolder();
  await using server = new ServerProcess(["-q", `unix://${folder.file("a.sock")}`, "--once"]);
  {
    using conn = await connectOnceServed(folder.file("a.sock"));
    await assertEchoes(conn, noise(1000));
  }
  assertEquals([await server.ended, server.lines], [{ code: 0, stderr: "" }, []]);
}, unixOnly);

bounded("meari-server says so once and serves on when the disk with its log is full", async () => {
  using folder = new TempFolder();
  await using server = new ServerProcess([`unix://${folder.file("a.sock")}`], { redirect: ">/dev/full" });
  using conn = await connectOnceServed(folder.file("a.sock"));
  for (let i = 0; i < 3; i++) await assertEchoes(conn, noise(1000, i));
  server.signal("SIGTERM");
  assertEquals(await server.ended, {
    code: 0,
    stderr: "meari-server: cannot write the log: no space left on the device; serving goes on without it\n",
  });
}, { ignore: Deno.build.os !== "linux" });

bounded("meari-server says so once and serves on when the reader of its log has gone", async () => {
  await using server = new ServerProcess([TCP]);
  const endpoint = await server.endpoint();
  server.closeStdout();
  for (let i = 0; i < 3; i++) {
    using conn = await connect(endpoint);
    await assertEchoes(conn, noise(1000, i));
  }
  server.signal("SIGTERM");
  assertEquals(await server.ended, {
    code: 0,
    stderr: "meari-server: cannot write the log: connection closed by the peer; serving goes on without it\n",
  });
}, unixOnly);

bounded("meari-server logs one JSON object a line when it is told to", async () => {
  await using server = new ServerProcess([TCP, "--log", "json", "--once"]);
  {
    using conn = await connect(await server.endpoint());
    await assertEchoes(conn, encode("메아리\n"));
  }
  assertEquals((await server.ended).code, 0);
  const events = server.lines.map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), [
    "listening",
    "connected",
    "echoed",
    "disconnected",
    "stopping",
    "stopped",
  ]);
  assertEquals([events[2].text, events[2].bytes, events[5].bytes], ["메아리\n", 10, 10]);
});

bounded("meari-server shows each message with size and hex dump when it traces", async () => {
  await using server = new ServerProcess([TCP, "--trace", "--once"]);
  {
    using conn = await connect(await server.endpoint());
    await assertEchoes(conn, encode("메\x1b[2J\n"));
  }
  await server.ended;
  const at = server.lines.findIndex((line) => line.startsWith("> echoed:"));
  assertEquals(server.lines.slice(at, at + 2), [
    "> echoed: 메\\x1b[2J\\n (8 bytes, #1)",
    "00000000  eb a9 94 1b 5b 32 4a 0a                           |....[2J.|",
  ]);
});
