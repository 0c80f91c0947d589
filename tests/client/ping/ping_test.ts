import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type Endpoint, formatEndpoint } from "../../../lib/endpoint.ts";
import { EchoError, MeariError, UsageError } from "../../../lib/errors.ts";
import { EndpointError, LARGEST_MESSAGE } from "../../../lib/transport/mod.ts";
import { startServer } from "../../../server/mod.ts";
import { ping as pingBy } from "../../../client/ping/ping.ts";
import { SEND_TIME_AT } from "../../../client/ping/probe.ts";
import type { Sample } from "../../../client/ping/sample.ts";
import type { PingOptions } from "../../../client/ping/session.ts";
import type { PingCounts, PingSummary } from "../../../client/ping/tally.ts";
import { bounded as boundedOnce, type BoundedTest } from "../../helpers/bounded.ts";
import { type Fault, faultyUdpPeer } from "../../helpers/faulty_udp_peer.ts";
import { framed } from "../../helpers/framed.ts";
import { fullListener } from "../../helpers/full_listener.ts";
import { ownTransport } from "../../helpers/own_transport.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";
import { TEXT_PEERS } from "../../helpers/text_peers.ts";

let engine: PingOptions["engine"];
const ping: typeof pingBy = (endpoint, options) => pingBy(endpoint, { ...(engine && { engine }), ...options });

/** Registers a test that runs with each engine; `auto` is the native one where that can be had. */
function bounded(name: string, run: () => Promise<void>, about?: BoundedTest) {
  for (const each of ["auto", "portable"] as const) {
    boundedOnce(`${name} (${each})`, async () => {
      engine = each;
      await run();
    }, about);
  }
}

const quick: PingOptions = { interval: 5, count: 20, deadline: 20_000, wait: 1000 };

function countsOf(summary: PingSummary): PingCounts {
  const { rtt_us: _rtt, wakeup_us: _wakeup, jitter_us: _jitter, duration_s: _duration, ...counts } = summary;
  return counts;
}

const noOddities = { lost: 0, late: 0, duplicate: 0, reordered: 0, corrupted: 0, unrelated: 0 };

async function pingThrough(script: readonly Fault[], options: PingOptions = {}): Promise<PingCounts> {
  await using peer = faultyUdpPeer(script);
  const { summary, failure } = await ping(peer.endpoint, { ...quick, ...options });
  assertEquals(failure, undefined);
  return countsOf(summary);
}

for (const endpoint of ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "udp://[::1]:0"]) {
  for (const size of [1, 15, 16, 64, 4000]) {
    bounded(`ping() gets every answer of ${size} bytes back over ${endpoint}`, async () => {
      await using server = await startServer({ endpoints: [endpoint] });
      const samples: Sample[] = [];
      const { summary } = await ping(server.endpoints[0]!, {
        ...quick,
        size,
        onSample: (sample) => samples.push(sample),
      });
      assertEquals(countsOf(summary), { sent: 20, received: 20, ...noOddities });
      assertEquals(samples.map((sample) => sample.seq), Array.from({ length: 20 }, (_, i) => i + 1));
      assert(samples.every((sample) => sample.rtt_us! > 0 && sample.bytes === size));
      assertEquals(
        summary.rtt_us!.min <= summary.rtt_us!.median && summary.rtt_us!.median <= summary.rtt_us!.max,
        true,
      );
    });
  }
}

bounded("ping() gets the largest messages back whole", async () => {
  using _row = ownTransport("framed", framed);
  using folder = new TempFolder();
  const places: [endpoint: string, size: number][] = [["framed://127.0.0.1:0", LARGEST_MESSAGE]];
  if (Deno.build.os === "linux") places.push([`unixgram://${folder.file("server.sock")}`, 200_000]);
  for (const [endpoint, size] of places) {
    await using server = await startServer({ endpoints: [endpoint] });
    const { summary } = await ping(server.endpoints[0]!, { ...quick, count: 3, size });
    assertEquals(countsOf(summary), { sent: 3, received: 3, ...noOddities });
  }
});

bounded("ping() sends empty datagrams", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const { summary } = await ping(server.endpoints[0]!, { ...quick, size: 0 });
  assertEquals(countsOf(summary), { sent: 20, received: 20, ...noOddities });
});

bounded("ping() counts lost datagrams", async () => {
  const script: Fault[] = ["echo", "drop", "drop", "echo", "drop"];
  assertEquals(await pingThrough(script, { wait: 200 }), { sent: 20, received: 17, ...noOddities, lost: 3 });
});

bounded("ping() counts duplicate datagrams", async () => {
  const script: Fault[] = ["twice", "echo", "twice"];
  assertEquals(await pingThrough(script), { sent: 20, received: 20, ...noOddities, duplicate: 2 });
});

bounded("ping() counts reordered datagrams", async () => {
  const script: Fault[] = ["swap", "echo", "echo", "swap", "echo"];
  assertEquals(await pingThrough(script), { sent: 20, received: 20, ...noOddities, reordered: 2 });
});

bounded("ping() counts corrupted datagrams, and apart those whose damage hides which probe it was", async () => {
  const script: Fault[] = ["damage", "echo", "damage header", "echo"];
  const result = await pingThrough(script, { wait: 200 });
  assertEquals(result, { sent: 20, received: 18, ...noOddities, corrupted: 1, lost: 1, unrelated: 1 });
});

bounded("ping() counts each probe once, whatever answers it gets in whatever order", async () => {
  const damaged = (probe: Uint8Array) => probe.with(40, probe[40]! ^ 1);
  const script: Fault[] = [
    (probe) => [damaged(probe), probe],
    (probe) => [probe, damaged(probe)],
    (probe) => [damaged(probe), damaged(probe)],
    (probe) => [new Uint8Array(64), probe, new Uint8Array(3)],
  ];
  const result = await pingThrough(script);
  assertEquals(result, { sent: 20, received: 19, ...noOddities, corrupted: 1, duplicate: 3, unrelated: 2 });
});

bounded("ping() counts late answers as received, and as reordered where later probes came first", async () => {
  const script: Fault[] = ["echo", { delay: 300 }, "echo", { delay: 300 }];
  const result = await pingThrough(script, { wait: 150, interval: 20, count: 30 });
  assertEquals(result, { sent: 30, received: 30, ...noOddities, late: 2, reordered: 2 });
});

bounded("ping() counts exactly what a random script does", async () => {
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
        duplicate: many("twice"),
        reordered: 0,
        corrupted: many("damage"),
        unrelated: 0,
      });
    }),
    { numRuns: 8 },
  );
});

bounded("ping() keeps its schedule when no answers come", async () => {
  const sentAt: number[] = [];
  const drop: Fault = (probe) => {
    sentAt.push(new DataView(probe.buffer).getFloat64(SEND_TIME_AT) / 1e6);
    return [];
  };
  const [count, interval, wait] = [20, 10, 2000];
  await using peer = faultyUdpPeer(Array<Fault>(count).fill(drop));
  const { summary } = await ping(peer.endpoint, { ...quick, count, interval, wait });
  assertEquals(countsOf(summary), { sent: count, received: 0, ...noOddities, lost: count });
  assertEquals(sentAt.length, count);
  // None is early, and none waits for an answer to the one before.
  sentAt.forEach((time, index) => assert(time >= index * interval, `probe ${index + 1} at ${time} ms`));
  assert(sentAt.at(-1)! < wait, `the last at ${sentAt.at(-1)} ms`);
  // The last probe was waited for, and nothing after that.
  assert(summary.duration_s * 1000 >= sentAt.at(-1)! + wait);
});

bounded("ping() leaves out what may still be answered when it is ended early", async () => {
  await using peer = faultyUdpPeer(Array<Fault>(5).fill("echo").concat(Array<Fault>(1000).fill("drop")));
  const ending = new AbortController();
  const run = ping(peer.endpoint, {
    ...quick,
    count: Infinity,
    wait: 10_000,
    onSample: (sample) => sample.seq === 5 && ending.abort(),
    signal: ending.signal,
  });
  assertEquals(countsOf((await run).summary), { sent: 5, received: 5, ...noOddities });
});

bounded("ping() keeps the order of a burst, and loses nothing of one that fits the socket's buffer", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const { summary } = await ping(server.endpoints[0]!, { ...quick, interval: 0.01, count: 200 });
  assertEquals(countsOf(summary), { sent: 200, received: 200, ...noOddities });
});

bounded("ping() ends at its deadline, and waits for no answer beyond it", async () => {
  for (const fault of ["echo", "drop"] as const) {
    await using peer = faultyUdpPeer(Array<Fault>(10_000).fill(fault));
    const { summary } = await ping(peer.endpoint, { interval: 20, deadline: 200, wait: 60_000 });
    assert(summary.duration_s >= 0.2 && summary.duration_s < 60, `${summary.duration_s} s`);
    // At most what is due by then; what may still be answered is left out.
    assert(peer.received >= 1 && peer.received <= 11, `${peer.received} probes`);
    assertEquals([summary.lost, summary.received > 0], [0, fault === "echo"]);
  }
});

bounded("ping() floods, and goes as fast as answers come", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] });
  for (const endpoint of server.endpoints) {
    for (const pace of [{ flood: true }, { interval: 0 }]) {
      const { summary } = await ping(endpoint, { ...quick, ...pace, count: 2000 });
      assertEquals(countsOf(summary), { sent: 2000, received: 2000, ...noOddities });
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

bounded("ping() tells loss, duplicates, damage and lost alignment apart on a stream", async () => {
  await using server = streamServer(async (conn, bytes, index) => {
    if (index === 1) return;
    if (index === 3) await conn.write(bytes);
    if (index === 5) bytes[40]! ^= 1;
    if (index === 7) bytes[2]! ^= 1;
    // Ten bytes are lost within a probe; the one after the next is found again.
    await conn.write(index === 9 ? bytes.subarray(0, 54) : bytes);
  });
  const { summary, failure } = await ping(server.endpoint, { ...quick, wait: 200 });
  assertEquals(failure, undefined);
  assertEquals(countsOf(summary), {
    sent: 20,
    received: 15,
    // The one that got no answer, the one whose session id was damaged, and the one after the cut one: its first ten
    // bytes took the place of the cut ones.
    lost: 3,
    late: 0,
    duplicate: 1,
    reordered: 0,
    corrupted: 2,
    unrelated: 2,
  });
});

bounded("ping() says so when the server closes the connection", async () => {
  await using server = streamServer((conn, bytes, index) => {
    if (index === 3) conn.close();
    return conn.write(bytes);
  });
  const { summary, failure } = await ping(server.endpoint, quick);
  assert(failure instanceof EchoError);
  assertEquals(failure.message, "the server closed the connection");
  assertEquals(summary.received, 3);
});

bounded("ping() gives up a server that sends more than it receives", async () => {
  await using server = streamServer(async (conn) => {
    while (true) await conn.write(new Uint8Array(16_384));
  });
  const { failure, summary } = await ping(server.endpoint, quick);
  assertEquals(failure?.message, "the server sends more than it receives");
  assertEquals(summary.received, 0);
});

bounded("ping() fails when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port };
  await assertRejects(() => ping(endpoint, quick), MeariError, "connection refused");
});

for (const size of [1, 4, 15, 16, 17, 24, 63, 64, 1000]) {
  bounded(`ping() notices that a peer takes probes of ${size} bytes for text`, async () => {
    // Enough of the smallest that all byte values go out.
    const count = size === 1 ? 256 : 100;
    await Promise.all(
      Object.entries(TEXT_PEERS).map(async ([name, treat]) => {
        // One byte alone has no other to change places with.
        if (size === 1 && name.startsWith("swaps")) return;
        const counts = await pingThrough(Array<Fault>(count).fill((probe) => [treat(probe)]), {
          size,
          count,
          interval: 2,
          wait: 300,
        });
        assert(
          counts.received < count && counts.corrupted + counts.unrelated > 0,
          `${name}: ${JSON.stringify(counts)}`,
        );
      }),
    );
  });
}

bounded("ping() tells a peer that changes letters to corrupt probes, not to answer none", async () => {
  const treat = TEXT_PEERS["writes capitals"]!;
  const counts = await pingThrough(Array<Fault>(20).fill((probe) => [treat(probe)]));
  assertEquals(counts, { sent: 20, received: 0, ...noOddities, corrupted: 20 });
});

bounded("ping() notices that a stream's server takes bytes for text", async () => {
  for (const [name, treat] of Object.entries(TEXT_PEERS)) {
    await using server = streamServer((conn, bytes) => conn.write(treat(bytes)));
    const { summary } = await ping(server.endpoint, { ...quick, wait: 200 });
    assert(summary.received < 20 && summary.corrupted + summary.unrelated > 0, name);
  }
});

bounded("ping() leaves off at once, with the signal's reason, when that comes while it connects", async () => {
  await using listener = await fullListener();
  const stop = new AbortController();
  const reason = new Error("enough");
  const pinging = assertRejects(
    () => ping(listener.endpoint, { timeout: 600_000, signal: stop.signal }),
    Error,
    "enough",
  );
  await listener.isConnecting();
  stop.abort(reason);
  await pinging;
}, { ignore: Deno.build.os !== "linux" });

bounded("ping() bounds a name lookup by the signal, over streams and datagrams", async () => {
  for (const transport of ["tcp", "udp"]) {
    const endpoint: Endpoint = { transport, host: "localhost", port: 9 };
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => ping(endpoint, { signal }), Error, "enough");
  }
});

for (const [what, make] of [["nobody", () => {}], ["a dead socket", leaveSocketFile]] as const) {
  bounded(`ping() fails once, at once, when ${what} is at the path of a Unix datagram socket`, async () => {
    using folder = new TempFolder();
    const path = folder.file("server.sock");
    make(path);
    const failures: string[] = [];
    for (const pace of [{}, { interval: 1 }, { flood: true }]) {
      const pinging = ping({ transport: "unixgram", path }, {
        ...pace,
        count: Infinity,
        onFailure: (_, cause) => failures.push(cause),
      });
      await assertRejects(() => pinging, EndpointError, `cannot send to unixgram://${path}: `);
    }
    assertEquals(failures, []);
  }, { ignore: Deno.build.os === "windows" });
}

function leaveSocketFile(path: string): void {
  Deno.listenDatagram({ transport: "unixpacket", path }).close();
}

bounded("ping() ends with what it measured when a Unix datagram server dies", async () => {
  using folder = new TempFolder();
  const server = await startServer({ endpoints: [`unixgram://${folder.file("server.sock")}`] });
  const samples: Sample[] = [];
  let dying: PromiseLike<void> | undefined;
  const { summary, failure } = await ping(server.endpoints[0]!, {
    interval: 5,
    count: Infinity,
    onSample: (sample) => {
      if (samples.push(sample) === 3) dying = server[Symbol.asyncDispose]();
    },
  });
  await dying;
  assert(failure instanceof EndpointError);
  assertEquals(summary.received, samples.length);
  assertEquals(summary.sent, summary.received + summary.lost);
}, { ignore: Deno.build.os === "windows" });

bounded("ping() rejects with what a callback throws", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"] });
  const broken = () => {
    throw new Error("broken");
  };
  for (const endpoint of server.endpoints) {
    for (const callback of [{ onStart: broken }, { onSample: broken }]) {
      await assertRejects(() => ping(endpoint, { ...quick, ...callback }), Error, "broken");
    }
  }
});

bounded("ping() tells how it stands while it runs", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  let soFar: (() => PingSummary) | undefined;
  const counts: [sent: number, received: number][] = [];
  await ping(server.endpoints[0]!, {
    ...quick,
    count: 3,
    onStart: ({ peer, summary }) => {
      assertEquals(formatEndpoint(server.endpoints[0]!), `udp://${peer}`);
      soFar = summary;
    },
    onSample: () => counts.push([soFar!().sent, soFar!().received]),
  });
  assertEquals(counts, [[1, 1], [2, 2], [3, 3]]);
});

bounded("ping() sends no empty messages over a stream", async () => {
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 9 };
  await assertRejects(() => ping(endpoint, { size: 0 }), UsageError, "carries no empty messages");
});

const linux = { ignore: Deno.build.os !== "linux" };

boundedOnce("ping() tells over UDP how long it took to wake up, which is a part of the round-trip time", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"] });
  const [udp, tcp] = server.endpoints as [Endpoint, Endpoint];
  const samplesOf = async (endpoint: Endpoint, engine: PingOptions["engine"]) => {
    const samples: Sample[] = [];
    const result = await pingBy(endpoint, { ...quick, engine: engine!, onSample: (sample) => samples.push(sample) });
    return { samples, ...result };
  };
  const native = await samplesOf(udp, "native");
  assertEquals(native.engine, "native");
  for (const { rtt_us, wakeup_us } of native.samples) assert(wakeup_us! >= 0 && wakeup_us! <= rtt_us!);
  const waited = native.samples.map(({ wakeup_us }) => wakeup_us!);
  assertEquals(native.summary.wakeup_us?.max, Math.max(...waited));
  for (const other of [await samplesOf(udp, "portable"), await samplesOf(tcp, "native")]) {
    assertEquals(other.summary.wakeup_us, undefined);
    for (const sample of other.samples) assert(!("wakeup_us" in sample));
  }
}, linux);

boundedOnce("ping() goes the portable way where there is no native one, and says so", async () => {
  using folder = new TempFolder();
  await using server = await startServer({ endpoints: [`unixgram://${folder.file("server.sock")}`] });
  assertEquals((await pingBy(server.endpoints[0]!, quick)).engine, "portable");
  await assertRejects(
    () => pingBy(server.endpoints[0]!, { ...quick, engine: "native" }),
    UsageError,
    "no native sockets: not over unixgram",
  );
}, linux);

boundedOnce("ping() pings a Unix stream natively", async () => {
  using folder = new TempFolder();
  await using server = await startServer({ endpoints: [`unix://${folder.file("server.sock")}`] });
  const { summary, engine } = await pingBy(server.endpoints[0]!, quick);
  assertEquals([engine, summary.sent, summary.received], ["native", 20, 20]);
}, linux);

boundedOnce("ping() ends where ICMP tells that nobody listens at a UDP port", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  await assertRejects(
    () => pingBy({ transport: "udp", host: "127.0.0.1", port }, quick),
    EndpointError,
    `cannot send to udp://127.0.0.1:${port}: connection refused`,
  );
}, linux);

boundedOnce("ping() natively takes no datagrams from another port than the server's", async () => {
  const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const stranger = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const [probe, from] of server) {
      await stranger.send(probe, from);
      await server.send(probe, from);
    }
  })();
  const { port } = server.addr as Deno.NetAddr;
  const { summary } = await pingBy({ transport: "udp", host: "127.0.0.1", port }, { ...quick, engine: "native" });
  server.close();
  stranger.close();
  await serving;
  assertEquals(countsOf(summary), { sent: 20, received: 20, ...noOddities });
}, linux);
