import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { bench, planOf } from "../../../../../client/bench/bench.ts";
import { canBeNative } from "../../../../../client/bench/load/native/engine.ts";
import { parseEndpoint } from "../../../../../lib/endpoint.ts";
import { whyNotNative } from "../../../../../lib/native/layouts.ts";
import { type Endpoint, EndpointError } from "../../../../../lib/transport/mod.ts";
import { startServer } from "../../../../../server/mod.ts";
import { load } from "../../../../helpers/bench_load.ts";
import { bounded } from "../../../../helpers/bounded.ts";
import { startFairServer } from "../../../../helpers/fair_server.ts";
import { fullListener } from "../../../../helpers/full_listener.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "canBeNative() is for IP addresses and names on Linux",
  ignore,
  fn() {
    assertEquals(whyNotNative(new URL(import.meta.url)), undefined);
    for (const text of ["tcp://127.0.0.1:7", "udp://127.0.0.1:7", "udp://[::1]:7", "tcp://localhost:7"]) {
      assert(canBeNative(parseEndpoint(text)), text);
    }
    for (const text of ["unix:///a", "unixgram:///a", "tcp://[fe80::1%lo]:7"]) {
      assert(!canBeNative(parseEndpoint(text)), text);
    }
    assertEquals(planOf(parseEndpoint("tcp://127.0.0.1:7"), { engine: "portable" }).native, false);
  },
});

bounded("bench() keeps a thousand connections busy alike", async () => {
  await using server = await startFairServer();
  const result = await load(server.endpoint, { connections: 1000, duration: 1500 });
  assertEquals([result.lost, result.errors], [0, {}]);
  const counts = await server.count();
  assertEquals(counts.length, 1000);
  assertGreaterOrEqual(counts[50]! / counts[500]!, 0.75, `${counts[50]} to ${counts[500]} echoes`);
}, { ignore });

bounded("bench() takes the answers of a UDP server that gives them from another address", async () => {
  await using server = await startServer({ endpoints: ["udp://0.0.0.0:0"], engine: "portable" });
  const endpoint = { ...server.endpoints[0]!, host: "127.0.0.2" } as Endpoint;
  const result = await load(endpoint, { connections: 3, depth: 8, messages: 500, wait: 10_000 });
  assertEquals([result.messages, result.lost, result.errors], [500, 0, {}]);
}, { ignore });

bounded("bench() says at once that nobody listens at a UDP port", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  const endpoint = { transport: "udp", host: "127.0.0.1", port };
  for (const options of [{ depth: 8 }, { rate: 1000 }, { connections: 4, threads: 2 }]) {
    const error = await assertRejects(
      () => bench(endpoint, { duration: 3_600_000, wait: 60_000, ...options }),
      EndpointError,
    );
    assertEquals(error.message, `cannot send to udp://127.0.0.1:${port}: connection refused`);
  }
}, { ignore });

bounded("bench() says once that a server of UDP has gone", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const serve = async () => {
    for (let i = 0; i < 10; i++) {
      const [datagram, from] = await socket.receive();
      await socket.send(datagram, from);
    }
    socket.close();
  };
  const serving = serve();
  const endpoint = { transport: "udp", host: "127.0.0.1", port };
  // Those in flight at the end may be lost unseen; the next one is refused.
  const result = await load(endpoint, { duration: 3_600_000, wait: 200, depth: 2 });
  await serving;
  assertGreaterOrEqual(result.messages, 1);
  assertEquals([result.refused, result.errors], [1, { "cannot send: connection refused": 1 }]);
}, { ignore });

bounded("bench() tells how busy it was, how far behind, and what it dropped", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] });
  for (const endpoint of server.endpoints) {
    for (const options of [{ threads: 2, connections: 2 }, { rate: 500 }]) {
      const { busy, behind_us, dropped } = await load(endpoint, options);
      assert(busy !== null && busy > 0 && busy <= 1, `busy ${busy}`);
      assertEquals(dropped, 0);
      if ("rate" in options) assert(behind_us !== null && behind_us >= 0);
      else assertEquals(behind_us, null);
    }
    const portable = await load(endpoint, { engine: "portable" });
    assertEquals([portable.busy, portable.behind_us, portable.dropped], [null, null, null]);
  }
}, { ignore });

bounded("bench() leaves no socket open, however it ends", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] });
  await using hole = await fullListener();
  const [tcp, udp] = server.endpoints as [typeof hole.endpoint, typeof hole.endpoint];
  const fail = () => {
    throw new Error("no more, please");
  };
  const loads = [
    () => load(tcp, { connections: 20, threads: 2 }),
    () => load(udp, { connections: 20, rate: 1000 }),
    () => load(tcp, { connections: 20, onStart: fail }),
    () => load(udp, { connections: 20, onStart: fail }),
    () => load(hole.endpoint, { connections: 20, signal: AbortSignal.timeout(100) }),
    () => load(hole.endpoint, { connections: 20, timeout: 100 }),
  ];
  const before = sockets();
  await Promise.all(loads.map((load) => load().catch(() => {})));
  // The server's side of a connection ends a little later.
  for (let tries = 0; sockets() > before && tries < 100; tries++) await new Promise((done) => setTimeout(done, 20));
  assertEquals(sockets(), before);
}, { ignore });

/** How many sockets this process has open. The runtime leaves other descriptors behind with each worker. */
function sockets(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
    } catch {
      // That of the folder itself is closed.
      return false;
    }
  }).length;
}
