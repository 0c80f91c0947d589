import { assert, assertEquals, assertMatch } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort } from "../helpers/free_port.ts";
import { fullListener } from "../helpers/full_listener.ts";
import { finish, meari, start, startMeariServer, startOnFullDevice } from "../helpers/meari.ts";
import { startResettingServer } from "../helpers/resetting_server.ts";
import { ScriptedDatagramServer, ScriptedServer } from "../helpers/scripted_server.ts";
import { assertSameBytes, noise, readBytes, readToEnd } from "../helpers/streams.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { formatEndpoint } from "../../lib/endpoint.ts";

/** Windows has no signals and Unix sockets as the others do. */
const unixOnly = { ignore: Deno.build.os === "windows" };
const linuxOnly = { ignore: Deno.build.os !== "linux" };

/** What is there to say, and what comes back: it ends with a line without an end. */
const KOREAN = "메아리\n\nquit it\n산이 대답한다";

/** An endpoint of a server that does with each connection what a test says. */
const place = (server: ScriptedServer | ScriptedDatagramServer) => formatEndpoint(server.endpoint);

const transports: [name: string, endpoint: (folder: TempFolder) => string, about?: { ignore: boolean }][] = [
  ["TCP", () => "tcp://127.0.0.1:0"],
  ["UDP", () => "udp://127.0.0.1:0"],
  ["a Unix socket of streams", (folder) => `unix://${folder.file("s.sock")}`, unixOnly],
  ["a Unix socket of datagrams", (folder) => `unixgram://${folder.file("s.sock")}`, unixOnly],
];

for (const [name, endpoint, about] of transports) {
  bounded(`meari sends the lines of a pipe and prints their echoes over ${name}`, async () => {
    using folder = new TempFolder();
    const { server, endpoints } = await startMeariServer([endpoint(folder)]);
    await using _ = server;
    const to = endpoints[0]!;
    assertEquals(await lines([to], KOREAN), { code: 0, text: `${KOREAN}\n`, stderr: "" });
    assertEquals(await lines([to], ""), { code: 0, text: "", stderr: "" });
    assertEquals(await lines([to], "one\r\nquit\nthree\n"), { code: 0, text: "one\nquit\n", stderr: "" });
    assertEquals(await lines([to, "-m", "하나", "--message", "둘"]), { code: 0, text: "하나\n둘\n", stderr: "" });
  }, about);
}

/** Runs the client and returns what it did, as text. */
async function lines(args: string[], stdin: string | Uint8Array = "", env = {}) {
  const { code, text, stderr } = await meari("meari", args, { stdin, env });
  return { code, text, stderr };
}

bounded("meari adds the line end it is told to each message, and prints lines still", async () => {
  for (const [eol, end] of [["none", ""], ["lf", "\n"], ["crlf", "\r\n"]]) {
    const sent = Promise.withResolvers<string>();
    await using server = new ScriptedServer(async (conn) => {
      const [first, second] = [`one${end}`, `two${end}`];
      const got = [];
      for (const text of [first, second]) {
        const bytes = await readBytes(conn, text.length);
        got.push(new TextDecoder().decode(bytes));
        await conn.write(bytes);
      }
      sent.resolve(got.join("") + new TextDecoder().decode(await readToEnd(conn)));
    });
    const args = [place(server), "--eol", eol!];
    assertEquals(await lines(args, "one\r\ntwo"), { code: 0, text: "one\ntwo\n", stderr: "" });
    assertEquals(await sent.promise, `one${end}two${end}`);
  }
});

bounded("meari --no-quit takes quit for a line like any other", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "--no-quit"]);
  await using _ = server;
  const { text } = await lines([endpoints[0]!, "--no-quit"], "quit\nmore\nquit\n");
  assertEquals(text, "quit\nmore\nquit\n");
});

bounded("meari prints each echo as soon as it has come", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using client = start("meari", [endpoints[0]!]);
  for (const line of ["one\n", "two\n"]) {
    await client.type(line);
    await client.stdout.until(line);
  }
  await client.endInput();
  assertEquals(await client.exit(), 0);
});

bounded("meari sends an empty line as a zero-length datagram", async () => {
  const lengths: number[] = [];
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    lengths.push(datagram.length);
    await answer(datagram);
  });
  assertEquals(await lines([place(server)], "a\n\nb"), { code: 0, text: "a\n\nb\n", stderr: "" });
  assertEquals(lengths, [1, 0, 1]);
});

bounded("meari prints text that is not UTF-8 and long lines as they are", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "-v"]);
  await using _ = server;
  const line = noise(1_000_000).map((byte) => byte === 0x0a || byte === 0x0d ? 0xff : byte);
  const { code, stdout } = await meari("meari", [endpoints[0]!], { stdin: line });
  assertEquals(code, 0);
  assertSameBytes(stdout.subarray(0, -1), line);
  assertEquals(stdout.at(-1), 0x0a);
});

bounded("meari prints a line of 20 MB whole, and the next one", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const line = noise(20_000_000).map((byte) => byte === 0x0a || byte === 0x0d ? 0xff : byte);
  for (const eol of ["none", "crlf"]) {
    const stdin = new Uint8Array(await new Blob([line, "\nend\n"]).arrayBuffer());
    const { code, stdout, stderr } = await meari("meari", [endpoints[0]!, "--eol", eol], { stdin });
    assertEquals([code, stderr], [0, ""]);
    assertSameBytes(stdout, stdin);
  }
});

bounded("meari --raw copies random bytes both ways unchanged", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "-v"]);
  await using _ = server;
  const bytes = noise(5_000_000);
  for (const args of [["--raw"], ["--raw", "--verify"]]) {
    const { code, stdout, stderr } = await meari("meari", [...args, endpoints[0]!], { stdin: bytes });
    assertEquals([code, stderr], [0, ""]);
    assertSameBytes(stdout, bytes);
  }
  assertEquals((await meari("meari", ["--raw", endpoints[0]!])).code, 0);
});

bounded("meari --raw answers while its input is still open", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using client = start("meari", ["--raw", endpoints[0]!]);
  await client.type("half a li");
  await client.stdout.until("half a li");
  await client.type("ne");
  await client.stdout.until("half a line");
  await client.endInput();
  assertEquals(await client.exit(), 0);
});

/** What a server does that misbehaves. It may stay until the test is over. */
type Fault = (conn: Deno.TcpConn, over: Promise<void>) => Promise<unknown>;

const faults: [name: string, serve: Fault, script: string, raw: string | RegExp][] = [
  [
    "closes early",
    async (conn) => conn.write((await readBytes(conn, 5)).slice(0, 2)),
    "line 1: the server closed the connection after 2 of 5 bytes",
    // Whichever it notices first.
    /^meari: (not what was sent came back|.* before the input ended): 5 bytes sent, 2 came back\n$/,
  ],
  [
    "changes a byte",
    async (conn, over) => {
      await conn.write((await readBytes(conn, 5)).with(3, 0x2a));
      await over;
    },
    'line 1: the echo differs at byte 4: sent "hello", got "hel*o"',
    "what came back differs at byte 4",
  ],
  [
    "never answers",
    (_conn, over) => over,
    "line 1: no echo within 300ms",
    "nothing more came back for 300ms: 5 bytes sent, 0 came back",
  ],
  [
    "sends more than it got",
    async (conn, over) => {
      await conn.write(Uint8Array.of(...await readBytes(conn, 5), 0x2a));
      await over;
    },
    "line 1: the server sent more than it received",
    "more came back than was sent: byte 6",
  ],
];

for (const [name, serve, script, raw] of faults) {
  bounded(`meari says in one line what went wrong, with exit code 3, when the server ${name}`, async () => {
    const over = Promise.withResolvers<void>();
    await using server = new ScriptedServer((conn) => serve(conn, over.promise).then(() => {}));
    const args = [place(server), "--timeout", "300ms"];
    try {
      const { code, stderr } = await lines(args, "hello\nnext\n");
      assertEquals([code, stderr], [3, `meari: ${script}\n`]);
      const other = await lines([...args, "--raw", "--verify"], "hello");
      assertEquals(other.code, 3);
      if (raw instanceof RegExp) assertMatch(other.stderr, raw);
      else assertEquals(other.stderr, `meari: ${raw}\n`);
      assertEquals((await lines([...args, "-m", "hello"])).stderr, `meari: ${script.replace("line", "message")}\n`);
    } finally {
      over.resolve();
    }
  });
}

bounded("meari says which line failed when the server resets the connection", async () => {
  await using server = await startResettingServer();
  const to = formatEndpoint(server.endpoint);
  assertEquals(await lines([to], "one\ntwo\n"), {
    code: 3,
    text: "one\n",
    stderr: "meari: line 2: connection reset by the peer\n",
  });
});

bounded("meari says which line failed when the server is killed between two lines", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using client = start("meari", [endpoints[0]!]);
  await client.type("one\n");
  await client.stdout.until("one\n");
  server.kill("SIGKILL");
  await server.exit();
  await client.type("two\n");
  assertEquals(await client.exit(), 3);
  assertMatch(
    client.stderr.text,
    /^meari: line 2: (the server closed the connection|connection (reset|closed) by the peer)\n$/,
  );
});

bounded("meari --raw says what came back when the server is killed in between", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using client = start("meari", ["--raw", endpoints[0]!]);
  await client.type("hello");
  await client.stdout.until("hello");
  server.kill("SIGKILL");
  assertEquals(await client.exit(), 3);
  assertEquals(
    client.stderr.text,
    "meari: the server closed the connection before the input ended: 5 bytes sent, 5 came back\n",
  );
});

bounded("meari --retries sends a lost datagram again", async () => {
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    if (server.count > 2) await answer(datagram);
  });
  const args = [place(server), "-m", "hello", "--timeout", "300ms"];
  assertEquals(await lines([...args, "--retries", "1"]), {
    code: 3,
    text: "",
    stderr: "meari: message 1: no echo within 300ms, sent 2 times\n",
  });
  server.count = 0;
  assertEquals(await lines([...args, "--retries", "9"]), { code: 0, text: "hello\n", stderr: "" });
});

bounded("meari says that a message is too long for a datagram", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text, stderr } = await lines([endpoints[0]!], `one\n${"x".repeat(65_508)}\n`);
  assertEquals([code, text], [1, "one\n"]);
  assertEquals(
    stderr,
    `meari: cannot send to ${endpoints[0]}: message too long (the message has 65508 bytes)\n`,
  );
});

bounded("meari says that nobody listens, and how to start a server", async () => {
  const to = `tcp://127.0.0.1:${freeTcpPort()}`;
  const stderr =
    `meari: cannot connect to ${to}: connection refused; is the server running? start one with meari-server\n`;
  for (const args of [[], ["-m", "hello"], ["--raw"]]) {
    assertEquals(await lines([to, ...args], "hello"), { code: 1, text: "", stderr });
  }
});

bounded("meari says that nobody listens on a Unix socket", async () => {
  using folder = new TempFolder();
  const to = `unix://${folder.file("s.sock")}`;
  assertEquals(await lines([to], "hello"), {
    code: 1,
    text: "",
    stderr: `meari: cannot connect to ${to}: no such file or directory; ` +
      "is the server running? start one with meari-server\n",
  });
}, unixOnly);

bounded("meari says once that nobody is at a Unix socket of datagrams, with exit code 1", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  const to = `unixgram://${path}`;
  const advice = "is the server running? start one with meari-server";
  for (const args of [[], ["-m", "hello"]]) {
    const stderr = `meari: cannot send to ${to}: no such file or directory; ${advice}\n`;
    assertEquals(await lines([to, ...args], "hello\nmore\n"), { code: 1, text: "", stderr });
  }
  // What a server that was killed leaves behind.
  Deno.listenDatagram({ transport: "unixpacket", path }).close();
  const refused = `meari: cannot send to ${to}: connection refused; ${advice}\n`;
  assertEquals(await lines([to], "hello\nmore\n"), { code: 1, text: "", stderr: refused });
}, unixOnly);

for (const mode of [[], ["-m", "hello"], ["--raw"]]) {
  const called = ["meari", ...mode].join(" ");

  bounded(`${called} ends at SIGINT while it connects, as any program does`, async () => {
    await using full = await fullListener();
    await using client = start("meari", [formatEndpoint(full.endpoint), "--timeout", "1h", ...mode]);
    await full.isConnecting();
    client.kill("SIGINT");
    assertEquals([await client.exit(), client.stdout.text, client.stderr.text], [130, "", ""]);
  }, linuxOnly);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  bounded(`meari leaves no file behind when ${signal} ends it`, async () => {
    using folder = new TempFolder();
    const { server, endpoints } = await startMeariServer([`unixgram://${folder.file("s.sock")}`]);
    await using _ = server;
    const tmp = folder.file("tmp");
    Deno.mkdirSync(tmp);
    await using client = start("meari", [endpoints[0]!], { env: { TMPDIR: tmp } });
    await client.type("hello\n");
    await client.stdout.until("hello\n");
    assertEquals([...Deno.readDirSync(tmp)].length, 1);
    client.kill(signal);
    assertEquals([await client.exit(), client.stderr.text], [1, ""]);
    assertEquals([...Deno.readDirSync(tmp)], []);
  }, unixOnly);
}

bounded("meari says that a host is unknown", async () => {
  for (const [transport, what] of [["tcp", "connect"], ["udp", "send"]]) {
    const to = `${transport}://nobody.invalid:7`;
    assertEquals(await lines([to], "hello"), {
      code: 1,
      text: "",
      stderr: `meari: cannot ${what} to ${to}: no such host; check the spelling, or use an IP address\n`,
    });
  }
});

bounded("meari says that its output is full", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  for (const args of [["-m", "hello"], ["--raw"], ["--help"], ["--version"]]) {
    const { code, stderr } = await finish(startOnFullDevice("meari", [...args, endpoints[0]!]), "hello\n");
    assertEquals([code, stderr], [1, "meari: cannot write to stdout: no space left on the device\n"]);
  }
}, linuxOnly);

bounded("meari ends without a word when nobody reads its output any more", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  for (const args of [[], ["--raw"]]) {
    await using client = start("meari", [endpoints[0]!, ...args]);
    await client.type("first\n");
    await client.stdout.until("first\n");
    await client.stdout.close();
    // Its input stays open: what ends it is that it writes. The first bytes may still get into the pipe.
    let over = false;
    const exit = client.exit().finally(() => over = true);
    while (!over) {
      await client.type("more\n");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals([await exit, client.stderr.text], [1, ""]);
  }
}, unixOnly);

bounded("meari --raw sends a large stream without growing memory", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using client = start("meari", ["--raw", "--verify", endpoints[0]!], { discard: true });
  const peak = () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${client.pid}/status`))?.[1]);
  const block = noise(1024 * 1024);
  const MiB = 256;
  let before = 0;
  for (let i = 0; i < MiB; i++) {
    await client.type(block);
    // By then it has all its buffers, at most 64 MiB of what is under way among them.
    if (i === 96) before = peak();
  }
  const grown = peak() - before;
  await client.endInput();
  assertEquals([await client.exit(), client.stderr.text], [0, ""]);
  assertEquals(client.stdout.count, MiB * block.length);
  assert(before > 0 && grown < 64 * 1024, `it had ${before} KiB and grew by ${grown} KiB`);
}, linuxOnly);
