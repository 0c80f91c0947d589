import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectMessages } from "../../../lib/transport/mod.ts";
import { Server, type ServerOptions, startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { onEachEngine } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { ownTransport } from "../../helpers/own_transport.ts";
import { ScriptedSocket } from "../../helpers/scripted_socket.ts";
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
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };
const TCP = "tcp://127.0.0.1:0";
const UDP = "udp://127.0.0.1:0";

/** Starts a server whose events are kept. */
async function start(endpoints: string[], options: ServerOptions = {}) {
  const log = new EventLog();
  const server = await startServer({ endpoints, subscribers: [log.add], ...options });
  return { server, log };
}

onEachEngine("Server.stop() has all that is in flight echoed when a client is slow to read", async (engine) => {
  const { server, log } = await start([TCP], { engine });
  using conn = await connect(server.endpoints[0]);
  const bytes = noise(3_000_000);
  const writing = writeAll(conn, bytes);
  await log.nth(1, "echoed");
  server.stop();
  const echo = await readBytes(conn, bytes.length);
  await writing;
  assertSameBytes(echo, bytes);
  assertEquals(await conn.read(new Uint8Array(1)), null);
  const summary = await server.finished;
  assertEquals([summary.connections, summary.bytes], [1, bytes.length]);
  assertEquals(log.of("disconnected")[0]?.how, "stopped");
});

onEachEngine("Server.snapshot() tells what the server did in all once it has stopped", async (engine) => {
  const { server } = await start([TCP], { engine });
  server.stop();
  const summary = await server.finished;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(server.snapshot(), { open: 0, ...summary });
});

onEachEngine(
  "Server.stop() loses nothing that has arrived when the machine is too busy to look for a while",
  async (engine) => {
    const { server } = await start([TCP], { engine });
    using conn = await connect(server.endpoints[0]);
    await assertEchoes(conn, noise(10));
    server.stop();
    // The bytes are with the server's kernel, and several of its timers are due, before it gets to do anything.
    const writing = writeAll(conn, noise(1000));
    const until = performance.now() + 100;
    while (performance.now() < until);
    await writing;
    assertSameBytes(await readToEnd(conn), noise(1000));
    await server.finished;
  },
);

onEachEngine(
  "Server.stop() closes idle connections and tells each thing once when nothing is in flight",
  async (engine) => {
    const { server, log } = await start([TCP, UDP], { engine });
    const conns = await Promise.all(Array.from({ length: 10 }, () => connect(server.endpoints[0])));
    for (const conn of conns) await assertEchoes(conn, noise(10));
    server.stop();
    server.stop();
    for (const conn of conns) {
      assertEquals(await conn.read(new Uint8Array(1)), null);
      conn.close();
    }
    const summary = await server.finished;
    assertEquals([summary.connections, summary.messages, summary.bytes], [10, 10, 100]);
    assertEquals(log.of("stopping").map(({ connections }) => connections), [10]);
    assertEquals(log.of("disconnected").map(({ how }) => how), Array(10).fill("stopped"));
    assertEquals(log.all.at(-1), { type: "stopped", ...summary });
    assertEquals(log.of("stopped").length, 1);
  },
);

onEachEngine("Server.stop() frees the port of a listener when it has finished", async (engine) => {
  const { server } = await start([TCP], { engine });
  const [endpoint] = server.endpoints;
  server.stop();
  await server.finished;
  await assertRejects(() => connect(endpoint), Deno.errors.ConnectionRefused);
  // The port is free for the next server.
  const next = await startServer({ endpoints: [endpoint!], engine });
  next.stop();
  await next.finished;
});

onEachEngine("Server.stop() frees the port of a datagram socket when it has finished", async (engine) => {
  const { server } = await start([UDP], { engine });
  server.stop();
  await server.finished;
  await using _next = await startServer({ endpoints: [server.endpoints[0]!], engine });
});

onEachEngine(
  "Server.stop() closes a client that does not read when the grace time is over, and not before",
  async (engine) => {
    const { server, log } = await start([TCP], { engine, grace: 300 });
    await using _client = await StuckClient.of(server.endpoints[0]);
    const stoppedAt = performance.now();
    server.stop();
    await server.finished;
    assert(performance.now() - stoppedAt >= 300);
    assertEquals(log.of("disconnected").map(({ how }) => how), ["cut"]);
  },
);

onEachEngine("Server.kill() ends at once when a client does not read, whatever the grace time", async (engine) => {
  const { server, log } = await start([TCP, UDP], { engine, grace: 3_600_000 });
  await using _client = await StuckClient.of(server.endpoints[0]);
  server.kill();
  await server.finished;
  assertEquals(log.of("disconnected").map(({ how }) => how), ["cut"]);
});

onEachEngine("Server.kill() cuts a stop short when it is called after it", async (engine) => {
  const { server, log } = await start([TCP], { engine, grace: 3_600_000 });
  await using _client = await StuckClient.of(server.endpoints[0]);
  server.stop();
  server.kill();
  await server.finished;
  assertEquals([log.of("stopping").length, log.of("stopped").length], [1, 1]);
});

onEachEngine("startServer() stops when its signal is aborted, also when it was aborted before", async (engine) => {
  const controller = new AbortController();
  const { server } = await start([TCP, UDP], { engine, signal: controller.signal });
  controller.abort();
  await server.finished;
  const { server: late } = await start([TCP, UDP], { engine, signal: controller.signal });
  assertEquals((await late.finished).connections, 0);
});

onEachEngine(
  "startServer() ends with the first connection when it serves once, and takes no second",
  async (engine) => {
    const { server, log } = await start([TCP, TCP, UDP], { engine, once: true });
    const conn = await connect(server.endpoints[0]);
    await assertEchoes(conn, noise(10));
    for (const endpoint of server.endpoints.slice(0, 2)) {
      await assertRejects(() => connect(endpoint), Deno.errors.ConnectionRefused);
    }
    // A conversation may pause as long as it likes.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await assertEchoes(conn, noise(10));
    assertEquals(log.of("stopping"), []);
    conn.close();
    const summary = await server.finished;
    assertEquals([summary.connections, summary.bytes], [1, 20]);
    assertEquals(log.of("disconnected")[0]?.how, "closed");
  },
);

onEachEngine("startServer() ends with the first datagram when it serves once", async (engine) => {
  const { server, log } = await start([UDP, TCP], { engine, once: true });
  const socket = await connectMessages(server.endpoints[0]!, { timeout: 5000 });
  await socket.send(new Uint8Array());
  assertEquals((await socket.receive(new Uint8Array(9)))?.length, 0);
  const summary = await server.finished;
  assertEquals([summary.connections, summary.messages, log.of("echoed").length], [0, 1, 1]);
  socket.close();
});

onEachEngine("startServer() serves once and ends at quit, as the seed's server does", async (engine) => {
  const { server, log } = await start([TCP], { engine, once: true });
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, new TextEncoder().encode("quit"));
  assertEquals(await conn.read(new Uint8Array(1)), null);
  await conn.closeWrite();
  await server.finished;
  assertEquals(log.of("disconnected")[0]?.how, "quit");
});

onEachEngine(
  "Server.stop() works when a subscriber calls it as soon as the server listens or a client comes",
  async (engine) => {
    for (const at of ["listening", "connected"] as const) {
      const log = new EventLog();
      const server = new Server({ endpoints: [TCP], engine, subscribers: [log.add] });
      server.subscribe(() => server.stop(), [at]);
      await server.start();
      if (at === "connected") (await connect(server.endpoints[0])).close();
      await server.finished;
      assertEquals(log.all.map(({ type }) => type), [
        "listening",
        ...at === "connected" ? ["connected", "stopping", "disconnected"] as const : ["stopping"] as const,
        "stopped",
      ]);
    }
  },
);

bounded("startServer() removes its socket files when it ends, at once where it is killed", async () => {
  using folder = new TempFolder();
  for (const way of ["stop", "kill"] as const) {
    const paths = [folder.file("a.sock"), folder.file("b.sock")];
    const { server } = await start([`unix://${paths[0]}`, `unixgram://${paths[1]}`]);
    assertEquals(paths.map(exists), [true, true]);
    server[way]();
    await server.finished;
    assertEquals(paths.map(exists), [false, false]);
  }
}, unixOnly);

/** A server of a socket that gets one datagram and never gets rid of the answer, as where a peer does not read. */
async function startStuck(grace: number) {
  const socket = new ScriptedSocket({ receives: [noise(10)], sends: [new Promise(() => {})] });
  const connect = () => Promise.reject(new Error("nobody connects to it"));
  using _ = ownTransport("own", {
    kind: "datagram",
    form: "inet",
    help: "",
    largestMessage: 9,
    listen: () => socket,
    connect,
  });
  const endpoints = [{ transport: "own", host: "127.0.0.1", port: 7 }];
  const { server, log } = await start([], { endpoints, grace });
  // The datagram is on its way back.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return { socket, server, log };
}

bounded("Server.stop() ends with the grace time when a datagram is never sent, and not before", async () => {
  const { socket, server, log } = await startStuck(150);
  const stoppedAt = performance.now();
  server.stop();
  const { messages } = await server.finished;
  assert(performance.now() - stoppedAt >= 150);
  assertEquals([socket.closed, messages, log.all.at(-1)?.type], [true, 0, "stopped"]);
});

bounded("Server.kill() ends at once when a datagram is never sent, whatever the grace time", async () => {
  for (const stopFirst of [false, true]) {
    const { socket, server } = await startStuck(3_600_000);
    if (stopFirst) server.stop();
    server.kill();
    await server.finished;
    assertEquals(socket.closed, true);
  }
});
