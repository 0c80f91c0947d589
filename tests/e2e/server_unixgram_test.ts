import { assertEquals, assertMatch } from "@std/assert";
import { connectMessages } from "../../lib/transport/mod.ts";
import { bounded } from "../helpers/bounded.ts";
import { type RunningMeari, startMeariServer } from "../helpers/meari.ts";
import { PYTHON, python } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };
/** Only Linux has abstract addresses, and paths that are no text. */
const linuxOnly = { ignore: Deno.build.os !== "linux" };

/** Has a datagram echoed: the server serves others. */
async function exchange(path: string, text = "still here"): Promise<void> {
  const conn = await connectMessages({ transport: "unixgram", path }, { timeout: 5000 });
  try {
    const message = new TextEncoder().encode(text);
    await conn.send(message);
    assertEquals(await conn.receive(new Uint8Array(1000)), message);
  } finally {
    conn.close();
  }
}

/** Ends the server, and sees that it ended well. */
async function stop(server: RunningMeari): Promise<void> {
  server.kill("SIGTERM");
  assertEquals(await server.exit(), 0);
}

/** A name that forges a line, sets a title, rings, turns text round and hides some. */
const EVIL = "x\n> client 10.0.0.9:1 said quit\x1b]0;PWN\x07\u202e\u200b";
const ESCAPED = "x\\n> client 10.0.0.9:1 said quit\\x1b]0;PWN\\x07\\u202e\\u200b";

/** One client of that name that gets its echo, and one that has gone before. */
const FORGER = `
import os
for gone in False, True:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.bind(sys.argv[2])
    if gone: os.unlink(sys.argv[2])
    s.sendto(b"hello", sys.argv[1])
    if not gone: assert s.recv(9) == b"hello"
    if not gone: os.unlink(sys.argv[2])`;

bounded(
  "meari-server shows a client's name escaped, and JSON has it to the letter, when it was chosen to forge",
  async () => {
    using folder = new TempFolder();
    const [path, evil] = [folder.file("s.sock"), folder.file(EVIL)];
    for (const args of [[], ["-v"], ["--trace"], ["--lang", "ko"], ["--log", "json"]]) {
      const { server } = await startMeariServer([`unixgram://${path}`, ...args]);
      await using _ = server;
      const { code, stderr } = await python(FORGER, path, evil);
      assertEquals([code, stderr], [0, ""]);
      await exchange(path);
      await stop(server);
      const all = server.stdout.text + server.stderr.text;
      assertEquals(/[^\P{C}\n]/u.exec(all), null);
      assertEquals(/^> client/m.exec(all), null);
      const escaped = folder.file(ESCAPED);
      if (args[0] === "--log") {
        const peers = server.stdout.lines.map((line) => JSON.parse(line).peer);
        assertEquals(peers.filter((peer) => peer === evil).length, 2);
      } else {
        assertEquals(
          server.stderr.text,
          `meari-server: unixgram://${path}: send to ${escaped} failed: no such file or directory\n`,
        );
      }
      if (args[0] === "-v") assertEquals(server.stdout.lines.includes(`> echoed: hello (5 bytes, ${escaped})`), true);
    }
  },
  unixOnly,
);

bounded(
  "meari-server counts and tells at a human rate who cannot be answered, and serves others meanwhile",
  async () => {
    using folder = new TempFolder();
    const path = folder.file("s.sock");
    const { server } = await startMeariServer([`unixgram://${path}`]);
    await using _ = server;
    const { code, stderr } = await python(
      `
# Neither has an address. (Nor has an abstract one, which newer Denos tell, and answer.)
sockets = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
for _ in range(500):
    for s in sockets: s.sendto(b"hello", sys.argv[1])`,
      path,
    );
    assertEquals([code, stderr], [0, ""]);
    await exchange(path);
    await stop(server);
    assertEquals(server.stderr.text.slice(0, 300), "");
    const { lines } = server.stdout;
    const told = lines.filter((line) => line === "> datagram from (unnamed) not answered: no return address").length;
    const rest = lines.map((line) => Number(/^> (\d+) more datagrams? not answered, not shown$/.exec(line)?.[1] ?? 0));
    assertEquals(told + rest.reduce((sum, count) => sum + count), 1000);
    assertMatch(server.stdout.text, /^> 1000 datagrams not answered$/m);
    assertEquals(told % 5, 0);
  },
  linuxOnly,
);

bounded("meari-server serves others at once when a client's path is no text", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  const { server } = await startMeariServer([`unixgram://${path}`, "--log", "json"]);
  await using _ = server;
  const client = new Running([
    PYTHON,
    "-c",
    `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2].encode() + b"/\\xff\\xfe.sock")
for _ in range(100): s.sendto(b"hello", sys.argv[1])
print("sent", flush=True)
sys.stdin.read()`,
    path,
    folder.path,
  ]);
  await using _client = client;
  await client.stdout.until("sent");
  await exchange(path);
  await stop(server);
  const { refused } = JSON.parse(server.stdout.lines.at(-1)!);
  assertEquals([refused, server.stderr.text], [{ "no return address": 100 }, ""]);
}, linuxOnly);

for (const [count, how] of [[23, "some"], [3000, "many"]] as const) {
  bounded(`meari-server serves others, and ends at a signal, when a client sends ${how} and never reads`, async () => {
    using folder = new TempFolder();
    const path = folder.file("s.sock");
    const { server } = await startMeariServer([`unixgram://${path}`, "--grace", "1h", "--log", "json"]);
    await using _ = server;
    const client = new Running([
      PYTHON,
      "-c",
      `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2])
for _ in range(int(sys.argv[3])): s.sendto(b"hello", sys.argv[1])
print("sent", flush=True)
sys.stdin.read()`,
      path,
      folder.file("client.sock"),
      `${count}`,
    ]);
    await using _client = client;
    await client.stdout.until("sent");
    for (let i = 0; i < 5; i++) await exchange(path);
    server.kill("SIGINT");
    assertEquals([await server.exit(), server.stderr.text], [0, ""]);
    const { messages, refused } = JSON.parse(server.stdout.lines.at(-1)!);
    const lost = refused["peer does not read"] ?? 0;
    assertEquals([messages + lost, lost > 0], [count + 5, how === "many"]);
  }, linuxOnly);
}
