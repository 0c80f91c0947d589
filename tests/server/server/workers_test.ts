import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectMessages } from "../../../lib/transport/mod.ts";
import { type Server, type ServerOptions, startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { assertEchoes, connect, noise, readToEnd } from "../../helpers/streams.ts";
import { StuckClient } from "../../helpers/stuck_client.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const TCP = "tcp://127.0.0.1:0";
const UDP = "udp://127.0.0.1:0";

/** Starts a server of two native workers whose events are kept. */
async function start(endpoints: ServerOptions["endpoints"], options: ServerOptions = {}) {
  const log = new EventLog();
  const server = await startServer({ endpoints, engine: "native", workers: 2, subscribers: [log.add], ...options });
  return { server, log };
}

const connectMany = (server: Server, count: number) =>
  Promise.all(Array.from({ length: count }, () => connect(server.endpoints[0])));

/** Has a datagram echoed by a socket of its own. */
async function exchangeDatagram(server: Server, at: number, bytes: Uint8Array): Promise<void> {
  const conn = await connectMessages(server.endpoints[at]!, { timeout: 5000 });
  await conn.send(bytes);
  assertEquals(await conn.receive(new Uint8Array(100)), bytes);
  conn.close();
}

bounded(
  "Server.snapshot() has the counts of all workers, whose connections have each a number of its own",
  async () => {
    const { server, log } = await start([TCP, UDP]);
    const conns = await connectMany(server, 50);
    await Promise.all(conns.map((conn, i) => assertEchoes(conn, noise(100, i))));
    for (let i = 0; i < 20; i++) await exchangeDatagram(server, 1, noise(10, i));
    await log.nth(70, "echoed");
    const { duration: _, ...counts } = server.snapshot();
    const sums = { connections: 50, messages: 70, bytes: 5200, refused: {}, replaced: 0 };
    assertEquals(counts, { open: 50, ...sums });
    assertEquals(new Set(log.of("connected").map(({ connection }) => connection)).size, 50);
    server.stop();
    for (const conn of conns) {
      assertEquals(await readToEnd(conn), new Uint8Array(0));
      conn.close();
    }
    const { duration, ...summary } = await server.finished;
    assertEquals(summary, sums);
    assertEquals(log.all.at(-1), { type: "stopped", duration, ...summary });
    assertEquals(log.of("stopping").map(({ connections }) => connections), [50]);
    assertEquals(log.of("disconnected").map(({ how }) => how), Array(50).fill("stopped"));
    await assertRejects(() => connect(server.endpoints[0]), Deno.errors.ConnectionRefused);
  },
  linuxOnly,
);

bounded("Server.stop() waits for the workers whose clients do not read, for the grace time and no longer", async () => {
  const { server, log } = await start([TCP], { grace: 300 });
  await using _stuck = await StuckClient.of(server.endpoints[0]);
  const idle = await connectMany(server, 10);
  for (const conn of idle) await assertEchoes(conn, noise(10));
  const stoppedAt = performance.now();
  server.stop();
  for (const conn of idle) {
    assertEquals(await conn.read(new Uint8Array(1)), null);
    conn.close();
  }
  await server.finished;
  assert(performance.now() - stoppedAt >= 300);
  assertEquals(log.of("disconnected").map(({ how }) => how).sort(), ["cut", ...Array(10).fill("stopped")]);
}, linuxOnly);

/** Tries to have something echoed by a server that serves somebody else alone. */
async function tryToConnect(server: Server, at = 0): Promise<"served" | "turned away"> {
  const conn = await connect(server.endpoints[at]).catch(() => undefined);
  if (conn === undefined) return "turned away";
  try {
    await conn.write(noise(1));
    return await conn.read(new Uint8Array(1)) === 1 ? "served" : "turned away";
  } catch {
    return "turned away";
  } finally {
    conn.close();
  }
}

bounded(
  "startServer() serves one conversation, whichever worker gets it, when many come at once and it serves once",
  async () => {
    using folder = new TempFolder();
    for (let round = 0; round < 5; round++) {
      const { server, log } = await start([TCP, `unix://${folder.file("a.sock")}`], { once: true });
      const results = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const conn = await connect(server.endpoints[i % 5 === 0 ? 1 : 0]).catch(() => undefined);
        const echo = await conn?.write(noise(1)).then(() => conn.read(new Uint8Array(1))).catch(() => null);
        if (echo !== 1) conn?.close();
        return echo === 1 ? conn : undefined;
      }));
      const served = results.filter((conn) => conn !== undefined);
      assertEquals(served.length, 1);
      for (const at of [0, 1]) assertEquals(await tryToConnect(server, at), "turned away");
      // It goes on for as long as the client likes.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await assertEchoes(served[0]!, noise(100));
      assertEquals(log.of("stopping"), []);
      served[0]!.close();
      const { connections, messages } = await server.finished;
      assertEquals([connections, messages], [1, 2]);
      const types = ["connected", "echoed", "echoed", "disconnected", "stopping", "stopped"];
      assertEquals(log.all.map(({ type }) => type as string).filter((type) => type !== "listening"), types);
    }
  },
  linuxOnly,
);

bounded("startServer() answers one datagram, whichever worker gets it, when it serves once", async () => {
  for (let round = 0; round < 5; round++) {
    const { server, log } = await start([UDP, TCP], { once: true });
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => connectMessages(server.endpoints[0]!, { timeout: 5000 })),
    );
    for (const [i, client] of clients.entries()) await client.send(noise(i + 1));
    const { messages, connections } = await server.finished;
    assertEquals([messages, connections, log.of("echoed").length], [1, 0, 1]);
    const { length } = log.of("echoed")[0]!.message;
    assertEquals(await clients[length - 1]!.receive(new Uint8Array(100)), noise(length));
    for (const client of clients) client.close();
  }
}, linuxOnly);

bounded("startServer() gives TCP and UDP of two native workers one port when they ask for any", async () => {
  const { server } = await start([[TCP, UDP]]);
  const [tcp, udp] = server.endpoints.map((endpoint) => (endpoint as { port: number }).port);
  assertEquals(tcp, udp);
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, noise(10));
  await exchangeDatagram(server, 1, noise(10));
  server.stop();
  await server.finished;
}, linuxOnly);
