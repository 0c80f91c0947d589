import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { type Endpoint, transports } from "../../../lib/transport/mod.ts";
import { MeariError } from "../../../lib/errors.ts";
import { startServer } from "../../../server/mod.ts";
import { load } from "../../helpers/bench_load.ts";
import { bounded } from "../../helpers/bounded.ts";
import { faultyUdpPeer } from "../../helpers/faulty_udp_peer.ts";
import { freeTcpPort } from "../../helpers/free_port.ts";
import { startResettingServer } from "../../helpers/resetting_server.ts";
import { ScriptedServer } from "../../helpers/scripted_server.ts";
import { writeAll } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const WELL = { lost: 0, late: 0, duplicated: 0, errors: {}, exitCode: 0 };

/** The part of a result that tells of faults. */
function faults({ lost, late, duplicated, errors, exitCode }: Awaited<ReturnType<typeof load>>) {
  return { lost, late, duplicated, errors, exitCode };
}

for (const transport of transports.keys()) {
  const unix = transport.startsWith("unix");
  bounded(`runLoad() sends as many messages as it should over ${transport}`, async () => {
    using folder = new TempFolder();
    const place = unix ? `${transport}://${folder.file("s.sock")}` : `${transport}://127.0.0.1:0`;
    await using server = await startServer({ endpoints: [place] });
    const endpoint = server.endpoints[0]!;
    for (const size of transport === "udp" || transport === "unixgram" ? [0, 1, 3, 64, 9000] : [1, 64, 100_000]) {
      // No more under way than one byte has numbers, and than the queue of a Unix datagram socket takes.
      const result = await load(endpoint, { connections: 3, depth: 3, messages: 100, size });
      assertEquals(result.messages, 100, `messages of ${size}`);
      assertEquals(result.bytes, 100 * size);
      assertEquals(faults(result), WELL, `messages of ${size}`);
      assert(result.duration_s > 0);
    }
    const timed = await load(endpoint, { connections: 2, duration: 100, warmup: 50 });
    assert(timed.messages > 0);
    assertGreaterOrEqual(timed.duration_s, 0.1);
    assertEquals(faults(timed), WELL);
    const paced = await load(endpoint, { connections: 3, rate: 1000, duration: 201, warmup: 20, size: 100 });
    assertEquals(paced.messages, 201);
    assertEquals(faults(paced), WELL);
    const counted = await load(endpoint, { connections: 2, rate: 1000, messages: 77 });
    assertEquals(counted.messages, 77);
  }, { ignore: unix && Deno.build.os === "windows" });
}

bounded("runLoad() shares a load among threads", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  const intervals: number[] = [];
  const onInterval = ({ latencies }: { latencies: { count: number } }) => void intervals.push(latencies.count);
  const endpoint = server.endpoints[0]!;
  const result = await load(endpoint, { threads: 2, connections: 3, messages: 1001, depth: 4, onInterval });
  assertEquals([result.messages, faults(result)], [1001, WELL]);
  assertEquals(intervals.reduce((a, b) => a + b), 1001);
  const paced = await load(endpoint, { threads: 2, connections: 3, messages: 101, rate: 1000 });
  assertEquals([paced.messages, faults(paced)], [101, WELL]);
});

bounded("runLoad() cannot run where nobody listens", async () => {
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: freeTcpPort() };
  await assertRejects(() => load(endpoint, {}), MeariError, "connection refused");
  await assertRejects(() => load(endpoint, { threads: 2, connections: 2 }), MeariError, "connection refused");
});

/** A server that does something with what each read found. */
function answering(answer: (bytes: Uint8Array, conn: Deno.TcpConn, read: number) => unknown): ScriptedServer {
  return new ScriptedServer(async (conn) => {
    const buffer = new Uint8Array(65_536);
    try {
      for (let read = 0;; read++) {
        const length = await conn.read(buffer);
        if (length === null || await answer(buffer.subarray(0, length), conn, read) === "close") return;
      }
    } catch {
      // The client has gone.
    }
  });
}

bounded("runLoad() names a server that sends more than it got", async () => {
  await using server = answering((bytes, conn) => writeAll(conn, new Uint8Array([...bytes, 1])));
  const result = await load(server.endpoint, { connections: 2 });
  assertEquals(result.errors, { "more came back than was sent": 2 });
  assertEquals(result.exitCode, 3);
});

bounded("runLoad() names a server that sends more at the very end", async () => {
  await using server = new ScriptedServer(async (conn) => {
    const buffer = new Uint8Array(65_536);
    for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
      await writeAll(conn, buffer.subarray(0, length));
    }
    await writeAll(conn, new Uint8Array(1));
  });
  const result = await load(server.endpoint, { messages: 5 });
  assertEquals([result.messages, result.errors, result.exitCode], [5, { "more came back than was sent": 1 }, 3]);
});

bounded("runLoad() names a server that sends other bytes, unless it is not to look", async () => {
  await using server = answering((bytes, conn, read) => {
    if (read === 2) bytes[bytes.length - 1]! ^= 1;
    return writeAll(conn, bytes);
  });
  const result = await load(server.endpoint, {});
  assertEquals(result.messages, 2);
  assertEquals([result.errors, result.exitCode], [{ "other bytes came back": 1 }, 3]);
  const blind = await load(server.endpoint, { messages: 10, verify: false });
  assertEquals([blind.messages, faults(blind)], [10, WELL]);
});

bounded("runLoad() names a server that closes early", async () => {
  await using server = answering(async (bytes, conn, read) => {
    await writeAll(conn, bytes);
    return read === 3 ? "close" : "";
  });
  const result = await load(server.endpoint, { connections: 2 });
  assertEquals(result.messages, 8);
  // What was on its way to a connection that closes is answered with a reset.
  const causes = Object.entries(result.errors);
  assertEquals(causes.reduce((sum, [, count]) => sum + count, 0), 2);
  for (const [cause] of causes) assert(/closed the connection|reset by the peer/.test(cause), cause);
  assertEquals(result.exitCode, 3);
});

for (const [how, reads] of [["answers nothing", true], ["takes nothing", false]] as const) {
  bounded(`runLoad() ends with a server that ${how}`, async () => {
    const over = Promise.withResolvers<void>();
    await using server = reads ? answering(() => {}) : new ScriptedServer(() => over.promise);
    const result = await load(server.endpoint, { duration: 60_000, size: reads ? 64 : 1e6, depth: 8, timeout: 200 });
    over.resolve();
    assertEquals(result.messages, 0);
    assertEquals(result.latency_us, null);
    assertEquals(result.errors, { "no answer for 200ms": 1 });
    assertGreaterOrEqual(result.lost, 1);
    assertEquals(result.exitCode, 3);
  });
}

bounded("runLoad() counts resets, and replaces connections where it is to", async () => {
  await using server = await startResettingServer();
  const once = await load(server.endpoint, { messages: 6 });
  assertEquals([once.messages, once.lost], [1, 1]);
  assertEquals(once.errors, { "connection reset by the peer": 1 });
  const again = await load(server.endpoint, { messages: 6, reconnect: true });
  assertEquals([again.messages, again.lost, again.exitCode], [3, 3, 3]);
  assertEquals(again.errors, { "connection reset by the peer": 3 });
  // What falls due meanwhile is sent on the next connection, so a reset may meet more than one message.
  const paced = await load(server.endpoint, { messages: 6, rate: 100, reconnect: true });
  assertEquals(paced.messages + paced.lost, 6);
  assertGreaterOrEqual(paced.messages, 2);
});

bounded("runLoad() counts attempts to reconnect that fail", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    using conn = await listener.accept();
    listener.close();
    await conn.read(new Uint8Array(64));
  };
  const serving = serve();
  const result = await load({ transport: "tcp", host: "127.0.0.1", port: listener.addr.port }, { reconnect: true });
  await serving;
  assertGreaterOrEqual(result.errors["cannot connect: connection refused"] ?? 0, 1);
});

bounded("runLoad() with a rate counts latencies from when messages were due", async () => {
  const frozen = 500;
  await using server = answering(async (bytes, conn, read) => {
    if (read === 20) await new Promise((resolve) => setTimeout(resolve, frozen));
    await writeAll(conn, bytes);
  });
  const result = await load(server.endpoint, { rate: 200, messages: 200 });
  assertEquals([result.messages, faults(result)], [200, WELL]);
  // A hundred messages fell due while the server was frozen. Half of them waited for half of that time at least.
  assertGreaterOrEqual(result.latency_us!.max, frozen * 1000 * 0.99);
  assertGreaterOrEqual(result.latency_us!.p90, frozen * 1000 * 0.55);
});

bounded("runLoad() with a rate that nobody could reach ends", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  const result = await load(server.endpoints[0]!, { rate: 1e8, duration: 10, timeout: 2000 });
  assertEquals(result.messages + result.lost, 1e6);
});

bounded("runLoad() ends early with what was measured", async () => {
  let onEchoed = () => {};
  await using server = await startServer({
    endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"],
    onEvent: ({ type }) => type === "echoed" && onEchoed(),
    echoedPerSecond: 1e6,
  });
  for (const endpoint of server.endpoints) {
    for (const rate of [undefined, 1000]) {
      const stopping = new AbortController();
      let echoed = 0;
      onEchoed = () => ++echoed === 100 && stopping.abort();
      const result = await load(endpoint, { duration: 60_000, rate, signal: stopping.signal });
      assertGreaterOrEqual(result.messages, 90);
      assertEquals(faults(result), WELL);
    }
  }
  const before = await load(server.endpoints[0]!, { signal: AbortSignal.abort() });
  assertEquals([before.messages, faults(before)], [0, WELL]);
});

bounded("runLoad() tells lost, late, doubled and damaged datagrams apart", async () => {
  await using peer = faultyUdpPeer([
    "echo",
    { delay: 300 },
    "drop",
    "twice",
    "damage",
    "damage header",
    "echo",
  ]);
  const result = await load(peer.endpoint, { messages: 10, wait: 200 });
  assertEquals(faults(result), {
    lost: 3,
    late: 1,
    duplicated: 1,
    errors: { "other bytes came back": 2 },
    exitCode: 3,
  });
  assertEquals(result.messages, 6);
});

bounded("runLoad() survives loss with many datagrams under way", async () => {
  await using peer = faultyUdpPeer(Array.from({ length: 200 }, (_, index) => index % 5 === 0 ? "drop" : "echo"));
  const closed = await load(peer.endpoint, { connections: 2, depth: 20, messages: 200, wait: 400 });
  assertEquals([closed.messages, closed.lost, closed.late, closed.duplicated], [160, 40, 0, 0]);
  await using other = faultyUdpPeer(Array.from({ length: 200 }, (_, index) => index % 5 === 0 ? "drop" : "echo"));
  const open = await load(other.endpoint, { connections: 2, rate: 1000, messages: 200, wait: 400 });
  assertEquals([open.messages, open.lost, open.late, open.duplicated], [160, 40, 0, 0]);
});

bounded("runLoad() names datagrams of another length", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    let count = 0;
    for await (const [datagram, from] of socket) {
      const longer = new Uint8Array([...datagram, 1]);
      await socket.send([longer, datagram.subarray(1), datagram][count++ % 3]!, from);
    }
  };
  const serving = serve();
  const { port } = socket.addr as Deno.NetAddr;
  const result = await load({ transport: "udp", host: "127.0.0.1", port }, { messages: 3, wait: 200 });
  socket.close();
  await serving;
  assertEquals(result.messages, 1);
  assertEquals(result.errors, { "more came back than was sent": 1, "other bytes came back": 1 });
});

bounded("runLoad() says why datagrams could not be sent", async () => {
  using folder = new TempFolder();
  const result = await load({ transport: "unixgram", path: folder.file("none.sock") }, { messages: 2, wait: 50 });
  assertEquals([result.messages, result.exitCode], [0, 1]);
  assertEquals(result.errors, { "cannot send: no such file or directory": 2 });
}, { ignore: Deno.build.os === "windows" });
