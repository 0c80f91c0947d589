import { assertEquals } from "@std/assert";
import type { Endpoint } from "../../lib/transport/mod.ts";
import { Subscribers } from "../../server/events.ts";
import { startServer } from "../../server/mod.ts";
import { Registry } from "../../server/registry.ts";
import { onEachEngine } from "../helpers/engines.ts";
import { EventLog } from "../helpers/event_log.ts";
import { ScriptedConn } from "../helpers/scripted_conn.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";

const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };

function newRegistry() {
  const log = new EventLog();
  const subscribers = new Subscribers();
  subscribers.add(log.add);
  return { registry: new Registry(subscribers), log };
}

/** The sums of a registry. */
const sums = ({ open, total, answered }: Registry) => [open.size, total, answered.messages, answered.bytes];

Deno.test("Registry.begin() numbers sessions, tells who came, and has them open", () => {
  const { registry, log } = newRegistry();
  const conns = [new ScriptedConn(), new ScriptedConn()] as const;
  const sessions = conns.map((conn) => registry.begin(endpoint, conn));
  assertEquals([...registry.open], sessions);
  const peer = conns[0].remoteAddr;
  assertEquals(log.all, [
    { type: "connected", endpoint, connection: 1, peer },
    { type: "connected", endpoint, connection: 2, peer },
  ]);
});

Deno.test("Registry sums up what open and ended sessions have answered", () => {
  const { registry } = newRegistry();
  const [first, second] = [1, 2].map(() => registry.begin(endpoint, new ScriptedConn()));
  assertEquals(sums(registry), [2, 2, 0, 0]);
  first!.answered(new Uint8Array(10));
  first!.answered(new Uint8Array(0));
  second!.answered(new Uint8Array(5));
  assertEquals(sums(registry), [2, 2, 3, 15]);
  registry.end(first!, "closed");
  assertEquals(sums(registry), [1, 2, 3, 15]);
  second!.answered(new Uint8Array(5));
  registry.end(second!, "quit");
  assertEquals(sums(registry), [0, 2, 4, 20]);
});

Deno.test("Registry.end() closes the connection and tells how it ended once, however often it is called", () => {
  const { registry, log } = newRegistry();
  const conn = new ScriptedConn();
  const session = registry.begin(endpoint, conn);
  session.answered(new Uint8Array(10));
  registry.end(session, "closed");
  registry.end(session, "reset");
  registry.stop(session);
  assertEquals(conn.calls, ["close"]);
  const [{ duration, ...event }] = log.of("disconnected") as [ReturnType<typeof log.of<"disconnected">>[number]];
  assertEquals(event, {
    type: "disconnected",
    endpoint,
    connection: 1,
    peer: conn.remoteAddr,
    how: "closed",
    messages: 1,
    bytes: 10,
  });
  assertEquals([duration >= 0 && duration < 10_000, log.of("disconnected").length], [true, 1]);
});

Deno.test("Registry.end() ends a session when its connection is closed already", () => {
  const { registry, log } = newRegistry();
  const conn = new ScriptedConn();
  conn.close = () => {
    throw new Deno.errors.BadResource("Bad resource ID");
  };
  registry.end(registry.begin(endpoint, conn), "reset");
  assertEquals([log.of("disconnected").length, registry.open.size], [1, 0]);
});

Deno.test("Registry.stop() cuts a session off only when something is in flight", () => {
  const { registry, log } = newRegistry();
  const idle = registry.begin(endpoint, new ScriptedConn()), busy = registry.begin(endpoint, new ScriptedConn());
  busy.busy = true;
  registry.stop(idle);
  registry.stop(busy);
  assertEquals(log.of("disconnected").map(({ how }) => how), ["stopped", "cut"]);
});

Deno.test("Session.answered() tells of each message with the bytes before it, where anybody wants to know", () => {
  const conn = new ScriptedConn();
  const subscribers = new Subscribers();
  const session = new Registry(subscribers).begin(endpoint, conn);
  session.answered(new Uint8Array(3));
  const log = new EventLog();
  subscribers.add(log.add);
  for (const length of [0, 4, 5]) session.answered(new Uint8Array(length));
  const about = { type: "echoed", endpoint, connection: 1, peer: conn.remoteAddr } as const;
  assertEquals(log.all, [
    { ...about, message: new Uint8Array(0), offset: 3 },
    { ...about, message: new Uint8Array(4), offset: 3 },
    { ...about, message: new Uint8Array(5), offset: 7 },
  ]);
  assertEquals([session.messages, session.bytes], [4, 12]);
});

onEachEngine(
  "Server.snapshot() counts what is open, what has ended, and what was answered and refused, as it goes",
  async (engine) => {
    const log = new EventLog();
    const endpoints = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"];
    const server = await startServer({ endpoints, engine, subscribers: [log.add] });
    const counts = () => {
      const { duration, ...counts } = server.snapshot();
      assertEquals(duration > 0, true);
      return counts;
    };
    assertEquals(counts(), { open: 0, connections: 0, messages: 0, bytes: 0, refused: {}, replaced: 0 });
    using first = await connect(server.endpoints[0]);
    {
      using second = await connect(server.endpoints[0]);
      await assertEchoes(first, noise(10));
      await assertEchoes(second, noise(20));
      await log.nth(2, "echoed");
      assertEquals(counts(), { open: 2, connections: 2, messages: 2, bytes: 30, refused: {}, replaced: 0 });
    }
    await log.nth(1, "disconnected");
    assertEquals(counts(), { open: 1, connections: 2, messages: 2, bytes: 30, refused: {}, replaced: 0 });
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = server.endpoints[1] as { port: number };
    await socket.send(noise(5), { transport: "udp", hostname: "127.0.0.1", port });
    await socket.receive();
    socket.close();
    await log.nth(3, "echoed");
    assertEquals(counts(), { open: 1, connections: 2, messages: 3, bytes: 35, refused: {}, replaced: 0 });
    server.stop();
    const { duration, ...summary } = await server.finished;
    assertEquals(summary, { connections: 2, messages: 3, bytes: 35, refused: {}, replaced: 0 });
    assertEquals(counts(), { open: 0, ...summary });
    assertEquals(log.all.at(-1), { type: "stopped", duration, ...summary });
  },
);
