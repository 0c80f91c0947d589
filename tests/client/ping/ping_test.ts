import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Endpoint } from "../../../lib/endpoint.ts";
import { MeariError } from "../../../lib/errors.ts";
import { startServer } from "../../../server/mod.ts";
import { type PingOptions, runConnectPing, runPing } from "../../../client/ping/ping.ts";
import { runSweep } from "../../../client/ping/sweep.ts";
import type { PingCounts, PingSummary, Sample } from "../../../client/ping/tally.ts";
import { type Fault, faultyUdpPeer } from "../../helpers/faulty_udp_peer.ts";

const quiet: PingOptions = {
  interval: 5,
  flood: false,
  count: 20,
  deadline: 20_000,
  size: 64,
  wait: 1000,
  timeout: 5000,
  onSample: () => {},
  onFailure: () => {},
  onStart: () => {},
  signal: new AbortController().signal,
};

function counts({ sent, received, lost, late, duplicated, reordered, corrupted }: PingSummary): PingCounts {
  return { sent, received, lost, late, duplicated, reordered, corrupted };
}

const noOddities = { lost: 0, late: 0, duplicated: 0, reordered: 0, corrupted: 0 };

async function pingThrough(script: readonly Fault[], options: Partial<PingOptions> = {}): Promise<PingCounts> {
  await using peer = faultyUdpPeer(script);
  const { summary, finding } = await runPing(peer.endpoint, { ...quiet, ...options });
  assertEquals(finding, undefined);
  return counts(summary);
}

for (const endpoint of ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "udp://[::1]:0"]) {
  for (const size of [1, 15, 16, 64, 4000]) {
    Deno.test(`runPing() gets every answer of ${size} bytes back over ${endpoint}`, async () => {
      await using server = await startServer({ endpoints: [endpoint] });
      const samples: Sample[] = [];
      const { summary } = await runPing(server.endpoints[0]!, {
        ...quiet,
        size,
        onSample: (sample) => samples.push(sample),
      });
      assertEquals(counts(summary), { sent: 20, received: 20, ...noOddities });
      assertEquals(samples.map((sample) => sample.sequence), Array.from({ length: 20 }, (_, i) => i + 1));
      assert(samples.every((sample) => sample.rtt! > 0 && sample.bytes === size));
      assertEquals(
        summary.rtt_us!.min <= summary.rtt_us!.median && summary.rtt_us!.median <= summary.rtt_us!.max,
        true,
      );
    });
  }
}

Deno.test("runPing() sends empty datagrams", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const { summary } = await runPing(server.endpoints[0]!, { ...quiet, size: 0 });
  assertEquals(counts(summary), { sent: 20, received: 20, ...noOddities });
});

Deno.test("runPing() counts lost datagrams", async () => {
  const script: Fault[] = ["echo", "drop", "drop", "echo", "drop"];
  assertEquals(await pingThrough(script, { wait: 200 }), { sent: 20, received: 17, ...noOddities, lost: 3 });
});

Deno.test("runPing() counts doubled datagrams", async () => {
  const script: Fault[] = ["twice", "echo", "twice"];
  assertEquals(await pingThrough(script), { sent: 20, received: 20, ...noOddities, duplicated: 2 });
});

Deno.test("runPing() counts reordered datagrams", async () => {
  const script: Fault[] = ["swap", "echo", "echo", "swap", "echo"];
  assertEquals(await pingThrough(script), { sent: 20, received: 20, ...noOddities, reordered: 2 });
});

Deno.test("runPing() counts damaged datagrams, even where the damage hides which probe it was", async () => {
  const script: Fault[] = ["damage", "echo", "damage header", "echo"];
  const result = await pingThrough(script, { wait: 200 });
  assertEquals(result, { sent: 20, received: 18, ...noOddities, corrupted: 2 });
});

Deno.test("runPing() counts late answers as received, and as reordered where later probes came first", async () => {
  const script: Fault[] = ["echo", { delay: 300 }, "echo", { delay: 300 }];
  const result = await pingThrough(script, { wait: 150, interval: 20, count: 30 });
  assertEquals(result, { sent: 30, received: 30, ...noOddities, late: 2, reordered: 2 });
});

Deno.test("runPing() counts exactly what a random script does", async () => {
  const fault = fc.constantFrom<Fault>("echo", "echo", "echo", "drop", "twice", "damage");
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 12 }), async (script) => {
      const many = (wanted: Fault) => script.filter((each) => each === wanted).length;
      const result = await pingThrough(script, { count: script.length, interval: 0, wait: 200 });
      assertEquals(result, {
        sent: script.length,
        received: script.length - many("drop") - many("damage"),
        lost: many("drop"),
        late: 0,
        duplicated: many("twice"),
        reordered: 0,
        corrupted: many("damage"),
      });
    }),
    { numRuns: 8 },
  );
});

Deno.test("runPing() keeps its schedule when no answers come", async () => {
  await using peer = faultyUdpPeer(Array<Fault>(50).fill("drop"));
  const { summary } = await runPing(peer.endpoint, { ...quiet, count: 50, interval: 2, wait: 100 });
  assertEquals(counts(summary), { sent: 50, received: 0, ...noOddities, lost: 50 });
  assertEquals(peer.received, 50);
});

Deno.test("runPing() leaves out what may still be answered when it is ended early", async () => {
  await using peer = faultyUdpPeer(Array<Fault>(5).fill("echo").concat(Array<Fault>(1000).fill("drop")));
  const ending = new AbortController();
  const run = runPing(peer.endpoint, {
    ...quiet,
    count: Infinity,
    wait: 10_000,
    onSample: (sample) => sample.sequence === 5 && ending.abort(),
    signal: ending.signal,
  });
  assertEquals(counts((await run).summary), { sent: 5, received: 5, ...noOddities });
});

Deno.test("runPing() keeps the order of a burst", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const { summary } = await runPing(server.endpoints[0]!, { ...quiet, interval: 0.01, count: 2000 });
  assertEquals([summary.sent, summary.reordered], [2000, 0]);
});

Deno.test("runPing() ends at its deadline", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const { summary } = await runPing(server.endpoints[0]!, { ...quiet, count: Infinity, deadline: 100 });
  assert(summary.received > 0);
});

Deno.test("runPing() floods, and goes as fast as answers come", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] });
  for (const endpoint of server.endpoints) {
    for (const pace of [{ flood: true }, { interval: 0 }]) {
      const { summary } = await runPing(endpoint, { ...quiet, ...pace, count: 2000 });
      assertEquals(counts(summary), { sent: 2000, received: 2000, ...noOddities });
    }
  }
});

/** A stream server that treats what it reads in its own way. */
function streamServer(treat: (conn: Deno.TcpConn, bytes: Uint8Array, index: number) => Promise<unknown>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(64);
      try {
        for (let index = 0;; index++) {
          let length = 0;
          while (length < buffer.length) {
            const more = await conn.read(buffer.subarray(length));
            if (more === null) return;
            length += more;
          }
          await treat(conn, buffer.slice(), index);
        }
      } catch {
        // The client, or the server by its own treatment, has ended the connection.
      } finally {
        try {
          conn.close();
        } catch {
          // Closed by the treatment.
        }
      }
    }
  };
  const serving = serve();
  const { hostname, port } = listener.addr;
  return {
    endpoint: { transport: "tcp", host: hostname, port } satisfies Endpoint,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

Deno.test("runPing() tells loss, doubling, damage and lost alignment apart on a stream", async () => {
  await using server = streamServer(async (conn, bytes, index) => {
    if (index === 1) return;
    if (index === 3) await conn.write(bytes);
    if (index === 5) bytes[40]! ^= 1;
    if (index === 7) bytes[2]! ^= 1;
    // Ten bytes are lost within a probe; the one after the next is found again.
    await conn.write(index === 9 ? bytes.subarray(0, 54) : bytes);
  });
  const { summary, finding } = await runPing(server.endpoint, { ...quiet, wait: 200 });
  assertEquals(finding, undefined);
  assertEquals(counts(summary), {
    sent: 20,
    received: 15,
    lost: 1,
    late: 0,
    duplicated: 1,
    reordered: 0,
    // The two damaged ones, the one that was cut, and the next, whose first ten bytes took the place of the cut ones.
    corrupted: 4,
  });
});

Deno.test("runPing() says so when the server closes the connection", async () => {
  await using server = streamServer((conn, bytes, index) => {
    if (index === 3) conn.close();
    return conn.write(bytes);
  });
  const { summary, finding } = await runPing(server.endpoint, quiet);
  assertEquals(finding, "the server closed the connection");
  assertEquals(summary.received, 3);
});

Deno.test("runPing() gives up a server that sends more than it receives", async () => {
  await using server = streamServer(async (conn) => {
    while (true) await conn.write(new Uint8Array(16_384));
  });
  const { finding, summary } = await runPing(server.endpoint, quiet);
  assertEquals(finding, "the server sends more than it receives");
  assertEquals(summary.received, 0);
});

Deno.test("runPing() fails when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port };
  await assertRejects(() => runPing(endpoint, quiet), MeariError, "connection refused");
  await assertRejects(() => runConnectPing(endpoint, quiet), MeariError, "connection refused");
});

Deno.test("runConnectPing() measures a new connection each time", async () => {
  let connections = 0;
  await using server = await startServer({
    endpoints: ["tcp://127.0.0.1:0"],
    onEvent: (event) => event.type === "connected" && connections++,
  });
  const { summary } = await runConnectPing(server.endpoints[0]!, quiet);
  assertEquals(counts(summary), { sent: 20, received: 20, ...noOddities });
  await server[Symbol.asyncDispose]();
  assertEquals(connections, 20);
});

Deno.test("runSweep() narrows the largest size down to the byte", async () => {
  const limit = 1234;
  using socket = disposable(Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }));
  const serving = (async () => {
    for await (const [datagram, from] of socket) if (datagram.length <= limit) await socket.send(datagram, from);
  })();
  const { port } = socket.addr as Deno.NetAddr;
  const result = await runSweep({ transport: "udp", host: "127.0.0.1", port }, {
    range: { min: 1, max: 3000, step: undefined },
    count: 2,
    wait: 60,
    onRow: () => {},
    signal: new AbortController().signal,
  });
  assertEquals([result.largest_bytes, result.loss_from_bytes], [limit, limit + 1]);
  assert(result.sweep.every(({ bytes, received, lost }) => bytes <= limit ? received === 2 : lost === 2));
  socket.close();
  await serving;
});

function disposable(socket: Deno.DatagramConn): Deno.DatagramConn & Disposable {
  return Object.assign(socket, {
    [Symbol.dispose]() {
      try {
        socket.close();
      } catch {
        // Closed already.
      }
    },
  });
}
