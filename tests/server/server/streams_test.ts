import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { messages } from "../../../lib/cli/messages.ts";
import { type Engine, type Server, startServer } from "../../../server/mod.ts";
import { textLog } from "../../../server/views/text_log.ts";
import { bounded } from "../../helpers/bounded.ts";
import { engines, onEachEngine } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { python } from "../../helpers/programs.ts";
import {
  assertEchoes,
  assertSameBytes,
  connect,
  noise,
  readBytes,
  readToEnd,
  writeAll,
} from "../../helpers/streams.ts";
import { StuckClient } from "../../helpers/stuck_client.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const unixOnly = { ignore: Deno.build.os === "windows" };

/** A kind of endpoint of streams. */
interface Kind {
  name: string;
  /** Makes one; the folder holds what has a path. */
  endpoint: (folder: TempFolder) => string;
  engine: Engine;
  about?: { ignore: boolean };
}

/** The stream endpoints there are, each with what can serve it. */
const kinds: Kind[] = [
  ...engines.flatMap((engine): Kind[] => [
    { name: `TCP over IPv4 (${engine})`, endpoint: () => "tcp://127.0.0.1:0", engine },
    { name: `TCP over IPv6 (${engine})`, endpoint: () => "tcp://[::1]:0", engine },
  ]),
  {
    name: "a Unix socket",
    endpoint: (folder) => `unix://${folder.file("echo.sock")}`,
    engine: "portable",
    about: unixOnly,
  },
];

for (const { name, endpoint, engine, about } of kinds) {
  bounded(`startServer() echoes every byte in order when the stream is ${name}`, async () => {
    using folder = new TempFolder();
    await using server = await startServer({ endpoints: [endpoint(folder)], engine });
    using conn = await connect(server.endpoints[0]);
    await assertEchoes(conn, Uint8Array.from({ length: 256 }, (_, byte) => byte));
    await assertEchoes(conn, noise(5_000_000));
  }, about);

  bounded(
    `startServer() echoes all that came before the client's FIN, then ends, when the stream is ${name}`,
    async () => {
      using folder = new TempFolder();
      const log = new EventLog();
      await using server = await startServer({ endpoints: [endpoint(folder)], engine, subscribers: [log.add] });
      for (const length of [0, 1, 300_000]) {
        using conn = await connect(server.endpoints[0]);
        const bytes = noise(length);
        const echo = readToEnd(conn);
        await writeAll(conn, bytes);
        await conn.closeWrite();
        assertSameBytes(await echo, bytes);
      }
      await log.nth(3, "disconnected");
      assertEquals(log.of("disconnected").map(({ how, bytes }) => [how, bytes]), [
        ["closed", 0],
        ["closed", 1],
        ["closed", 300_000],
      ]);
    },
    about,
  );

  bounded(
    `startServer() echoes 10,000 random byte strings split at random places when the stream is ${name}`,
    async () => {
      using folder = new TempFolder();
      await using server = await startServer({ endpoints: [endpoint(folder)], engine, quit: false });
      using conn = await connect(server.endpoints[0]);
      const strings = fc.tuple(
        fc.uint8Array({ minLength: 1, maxLength: 60, size: "max" }),
        fc.array(fc.nat(59), { maxLength: 3 }),
      );
      await fc.assert(
        fc.asyncProperty(strings, async ([bytes, cuts]) => {
          const echo = readBytes(conn, bytes.length);
          let done = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
            const part = bytes.subarray(done, cut);
            if (part.length === 0) continue;
            await writeAll(conn, part);
            done = cut;
          }
          assertSameBytes(await echo, bytes);
        }),
        // All share one connection: after a mistake nothing that follows on it could be judged.
        { numRuns: 10_000, endOnFailure: true },
      );
    },
    { seconds: 60, ...about },
  );
}

onEachEngine(
  "startServer() shows whole characters in its log when Korean text arrives cut at every byte",
  async (engine) => {
    const text = "메아리가 돌아온다 🏔 뷁";
    const bytes = encode(text);
    const log = new EventLog();
    const lines: string[] = [];
    const view = textLog({
      messages: messages.ko,
      datagramsOnly: false,
      detail: "verbose",
      quiet: false,
      write: (line) => lines.push(line),
      writeError: (line) => lines.push(line),
    });
    await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine });
    server.subscribe(view, ["echoed"]);
    server.subscribe(log.add, ["echoed"]);
    for (let cut = 1; cut < bytes.length; cut++) {
      using conn = await connect(server.endpoints[0]);
      await assertEchoes(conn, bytes.subarray(0, cut));
      await assertEchoes(conn, bytes.subarray(cut));
      await log.nth(cut * 2, "echoed");
      const shown = lines.splice(0).map((line) => /^> echoed: (.*) \(\d+ bytes?, #\d+\)$/.exec(line)?.[1]);
      assertEquals([shown.length, shown.join("")], [2, text]);
    }
  },
);

onEachEngine("startServer() echoes every byte to each when 2,000 clients are connected at once", async (engine) => {
  const clients = 2000;
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
  const conns: Deno.Conn[] = [];
  try {
    while (conns.length < clients) {
      conns.push(...await Promise.all(Array.from({ length: 100 }, () => connect(server.endpoints[0]))));
    }
    await log.nth(clients, "connected");
    assertEquals(log.of("disconnected"), []);
    await Promise.all(conns.map(async (conn, i) => {
      for (const length of [1, 1000, 5000]) await assertEchoes(conn, noise(length, i * 3 + length));
    }));
    await Promise.all(conns.map(async (conn) => {
      await conn.closeWrite();
      assertEquals(await conn.read(new Uint8Array(1)), null);
    }));
    await log.nth(clients, "disconnected");
    const endings = log.of("disconnected");
    assertEquals(new Set(endings.map(({ connection }) => connection)).size, clients);
    assertEquals(endings.every(({ how, bytes }) => how === "closed" && bytes === 6001), true);
  } finally {
    for (const conn of conns) conn.close();
  }
});

onEachEngine("startServer() serves on when clients reset their connections", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
  const { port } = server.endpoints[0] as { port: number };
  // SO_LINGER of zero seconds makes close() send RST. Some wait for an echo first, some send more than they read, and
  // some are gone before they are accepted.
  const { code, stderr } = await python(
    `
for i in range(20):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(b"x" * (100000 if i % 4 > 1 else 1))
    if i % 2: s.recv(1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()`,
    port,
  );
  assertEquals([code, stderr], [0, ""]);
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, noise(1000));
  const connected = log.of("connected").length;
  assert(connected > 10, `${connected} clients were accepted`);
  await log.nth(connected - 1, "disconnected");
  for (const { how } of log.of("disconnected")) assertEquals(how, "reset");
  assertEquals(log.of("failed"), []);
});

/** Writes until the server takes no more; returns how many bytes it took, and the write that still waits. */
async function writeUntilStuck(conn: Deno.Conn, bytes: Uint8Array): Promise<{ taken: number; last: Promise<number> }> {
  for (let taken = 0;;) {
    const last = conn.write(bytes.subarray(taken, taken + 64 * 1024));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stuck = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), 700));
    const count = await Promise.race([last, stuck]);
    clearTimeout(timer);
    if (count === undefined) return { taken, last };
    taken += count;
    assert(taken < bytes.length, `the server took all of ${taken} bytes from a client that reads nothing`);
  }
}

for (const { name, endpoint, engine, about } of kinds) {
  bounded(
    `startServer() stops reading from a client that does not read, and loses nothing, when the stream is ${name}`,
    async () => {
      using folder = new TempFolder();
      const log = new EventLog();
      await using server = await startServer({ endpoints: [endpoint(folder)], engine, quit: false });
      // A log of the messages would be what grows.
      server.subscribe(log.add, ["disconnected"]);
      using conn = await connect(server.endpoints[0]);
      // More than the kernel's buffers hold, twice over: 4 MiB to send and 6 MiB to receive, on each side.
      const bytes = noise(64 * 1024 * 1024);
      const before = Deno.memoryUsage().external;
      const { taken, last } = await writeUntilStuck(conn, bytes);
      const grown = Deno.memoryUsage().external - before;
      assert(grown < 8 * 1024 * 1024, `${grown} bytes more in memory after ${taken} bytes`);
      // Another client is served meanwhile.
      using other = await connect(server.endpoints[0]);
      await assertEchoes(other, noise(100_000, 2));
      // Once it reads, all of it comes back.
      const echo = readToEnd(conn);
      const sent = taken + await last;
      await conn.closeWrite();
      assertSameBytes(await echo, bytes.subarray(0, sent));
      const { connection, bytes: echoed } = await log.nth(1, "disconnected");
      assertEquals([connection, echoed], [1, sent]);
    },
    about,
  );
}

onEachEngine("startServer() serves both families on one port when it listens on [::]", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://[::]:0"], engine, subscribers: [log.add] });
  const { port } = server.endpoints[0] as { port: number };
  for (const host of ["127.0.0.1", "::1"]) {
    using conn = await connect({ transport: "tcp", host, port });
    await assertEchoes(conn, encode("메아리"));
  }
  await log.nth(2, "echoed");
});

/** What is left of a conversation after the client said something: what came back, up to the end if there is one. */
async function say(server: Server, at: number, text: string, goOn: string): Promise<{ echo: string; ended: boolean }> {
  using conn = await connect(server.endpoints[at]);
  await assertEchoes(conn, encode(text));
  const write = writeAll(conn, encode(goOn)).catch(() => {});
  const rest = await readBytes(conn, encode(goOn).length).catch(() => new Uint8Array());
  await write;
  return { echo: text + new TextDecoder().decode(rest), ended: rest.length === 0 };
}

onEachEngine(
  "startServer() ends a conversation after the echo of quit when it stands alone, and only there",
  async (engine) => {
    const log = new EventLog();
    const endpoints = ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?no-quit"];
    await using server = await startServer({ endpoints, engine, subscribers: [log.add] });
    for (const word of ["quit", "quit\n", "quit\r\n"]) {
      assertEquals(await say(server, 0, word, "more"), { echo: word, ended: true });
      assertEquals(await say(server, 1, word, "more"), { echo: word + "more", ended: false });
    }
    assertEquals(await say(server, 0, "quit now", "more"), { echo: "quit nowmore", ended: false });
    await log.nth(7, "disconnected");
    const ways = Map.groupBy(log.of("disconnected"), ({ how }) => how);
    assertEquals([ways.get("quit")?.length, ways.get("closed")?.length], [3, 4]);
  },
);

onEachEngine("startServer() takes quit as plain data everywhere when quit is off", async (engine) => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, quit: false });
  assertEquals(await say(server, 0, "quit", "more"), { echo: "quitmore", ended: false });
});

onEachEngine(
  "startServer() gives the echo of quit whole when the client sends more without waiting",
  async (engine) => {
    await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine });
    for (let i = 0; i < 50; i++) {
      using conn = await connect(server.endpoints[0]);
      await writeAll(conn, encode("quit"));
      await writeAll(conn, noise(100));
      await conn.closeWrite();
      const echo = new TextDecoder().decode((await readToEnd(conn)).subarray(0, 4));
      assertEquals(echo, "quit");
    }
  },
);

onEachEngine(
  "startServer() ends what said quit a second later when the client stays, and echoes no more of it",
  async (engine) => {
    const log = new EventLog();
    await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
    using staying = await connect(server.endpoints[0]), leaving = await connect(server.endpoints[0]);
    for (const conn of [staying, leaving]) {
      await assertEchoes(conn, encode("quit\n"));
      assertEquals(await conn.read(new Uint8Array(1)), null);
      await writeAll(conn, noise(100));
    }
    await leaving.closeWrite();
    const { connection, bytes } = await log.nth(1, "disconnected");
    assertEquals([connection, bytes], [2, 5]);
    const { how, duration, messages } = await log.nth(2, "disconnected");
    assertEquals([how, messages, duration >= 1000], ["quit", 1, true]);
  },
);

onEachEngine("startServer() tells of a reset when a client that did not read goes", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
  {
    await using _stuck = await StuckClient.of(server.endpoints[0]);
  }
  const { how, bytes } = await log.nth(1, "disconnected");
  assertEquals([how, bytes > 0], ["reset", true]);
});

onEachEngine("startServer() tells every echo, and sums up all of them, when there are many", async (engine) => {
  const log = new EventLog();
  const server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
  {
    using conn = await connect(server.endpoints[0]);
    for (let i = 0; i < 50; i++) await assertEchoes(conn, encode("hello"));
  }
  await log.nth(1, "disconnected");
  server.stop();
  const summary = await server.finished;
  assertEquals(log.of("echoed").length, 50);
  assertEquals([summary.connections, summary.messages, summary.bytes], [1, 50, 250]);
});

onEachEngine(
  "startServer() numbers connections and offsets and says who came when it tells of echoes",
  async (engine) => {
    const log = new EventLog();
    await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [log.add] });
    for (const connection of [1, 2]) {
      using conn = await connect(server.endpoints[0]);
      for (const text of ["메", "아리"]) await assertEchoes(conn, encode(text));
      await log.nth(connection * 2, "echoed");
      const told = log.of("echoed").filter((event) => event.connection === connection);
      assertEquals(told.map(({ offset, message }) => [offset, message]), [[0, encode("메")], [3, encode("아리")]]);
      assertEquals<unknown>(told[0]!.peer, { ...conn.localAddr });
      assertEquals(told[0]!.endpoint, server.endpoints[0]);
    }
  },
);
