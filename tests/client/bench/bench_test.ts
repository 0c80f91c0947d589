import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { bench, type BenchOptions } from "../../../client/bench/bench.ts";
import { type Endpoint, EndpointError } from "../../../lib/transport/mod.ts";
import { errorCode } from "../../../lib/errors.ts";
import { startServer } from "../../../server/mod.ts";
import { places } from "../../compliance/fixtures.ts";
import { boundedOnEach, enginesFor, load } from "../../helpers/bench_load.ts";
import { bounded } from "../../helpers/bounded.ts";
import { faultyUdpPeer } from "../../helpers/faulty_udp_peer.ts";
import { freeTcpPort } from "../../helpers/free_port.ts";
import { fullListener } from "../../helpers/full_listener.ts";
import { startResettingServer } from "../../helpers/resetting_server.ts";
import { ScriptedDatagramServer, ScriptedServer } from "../../helpers/scripted_server.ts";
import { startSingleServer } from "../../helpers/single_server.ts";
import { writeAll } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const WELL = { lost: 0, late: 0, duplicate: 0, unfinished: 0, refused: 0, errors: {}, exitCode: 0 };

/** The part of a result that tells of faults. */
function faults(
  { lost, late, duplicate, unfinished, refused, errors, exitCode }: Awaited<ReturnType<typeof load>>,
) {
  return { lost, late, duplicate, unfinished, refused, errors, exitCode };
}

/** Sizes of messages by the kind of a transport. A stream carries no empty ones, and a datagram may be lost if it is long. */
const SIZES = { stream: [1, 64, 100_000], message: [0, 1, 3, 64, 100_000], datagram: [0, 1, 3, 64, 9000] };

for (const place of places) {
  place.test("bench() sends as many messages as it should", async (folder) => {
    await using server = await startServer({ endpoints: [place.endpoint(folder)] });
    const endpoint = server.endpoints[0]!;
    for (const engine of enginesFor(endpoint)) await exchange(endpoint, SIZES[place.row.kind], engine);
  });
}

async function exchange(endpoint: Endpoint, sizes: number[], engine: BenchOptions["engine"]): Promise<void> {
  for (const size of sizes) {
    // No more in flight than one byte has numbers, and than the queue of a Unix datagram socket takes.
    const result = await load(endpoint, { engine, connections: 3, depth: 3, messages: 100, size });
    assertEquals(result.messages, 100, `messages of ${size}`);
    assertEquals(result.bytes, 100 * size);
    assertEquals(faults(result), WELL, `messages of ${size}`);
    assert(result.duration_s > 0);
  }
  const timed = await load(endpoint, { engine, connections: 2, duration: 300, warmup: 50 });
  assert(timed.messages > 0);
  assertGreaterOrEqual(timed.duration_s, 0.3);
  assertEquals(faults(timed), WELL);
  const paced = await load(endpoint, { engine, connections: 3, rate: 1000, duration: 201, warmup: 20, size: 100 });
  assertEquals(paced.messages, 201);
  assertEquals(faults(paced), WELL);
  const counted = await load(endpoint, { engine, connections: 2, rate: 1000, messages: 77 });
  assertEquals(counted.messages, 77);
}

boundedOnEach("bench() shares a load among threads", async (load) => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  let start = 0;
  const told = { messages: 0, bytes: 0 };
  const endpoint = server.endpoints[0]!;
  const result = await load(endpoint, {
    threads: 2,
    connections: 3,
    messages: 1001,
    depth: 4,
    onStart: (time) => start = time,
    onInterval: (interval) => {
      assert(start > 0 && interval.start >= start && interval.end > interval.start);
      assertEquals(interval.latency_us === null, interval.messages === 0);
      told.messages += interval.messages;
      told.bytes += interval.bytes;
    },
  });
  assertEquals([result.messages, faults(result)], [1001, WELL]);
  assertEquals(told, { messages: 1001, bytes: 1001 * 64 });
  const paced = await load(endpoint, { threads: 2, connections: 3, messages: 101, rate: 1000 });
  assertEquals([paced.messages, faults(paced)], [101, WELL]);
});

boundedOnEach("bench() takes no less time for messages at a rate than that has them take", async (load) => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  const endpoint = server.endpoints[0]!;
  for (const options of [{ messages: 4 }, { duration: 200 }]) {
    const { messages, messages_per_s } = await load(endpoint, { rate: 20, ...options });
    assertEquals(messages, 4);
    assert(messages_per_s <= 20, `${messages_per_s}`);
  }
});

boundedOnEach("bench() cannot run where nobody listens", async (load) => {
  const endpoint = { transport: "tcp", host: "127.0.0.1", port: freeTcpPort() };
  for (const threads of [1, 2]) {
    const error = await assertRejects(() => load(endpoint, { threads, connections: 2 }), EndpointError);
    assertEquals(error.message, `cannot connect to tcp://127.0.0.1:${endpoint.port}: connection refused`);
    // The program has advice for this cause, whichever thread has met it.
    assertEquals(errorCode(error.cause), "ECONNREFUSED");
  }
});

bounded("bench() refuses a load that cannot be", async () => {
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };
  const refused: [BenchOptions, string][] = [
    [{ connections: 0 }, "connections is 0; it must be at least 1"],
    [{ threads: 0 }, "threads is 0"],
    [{ depth: NaN }, "depth is NaN"],
    [{ messages: 0 }, "messages is 0"],
    [{ duration: -1 }, "duration is -1"],
    [{ rate: 0 }, "rate is 0; it must be above 0"],
    [{ size: 0 }, "a stream carries no empty messages"],
  ];
  for (const [options, message] of refused) await assertRejects(() => bench(endpoint, options), RangeError, message);
});

boundedOnEach("bench() ends with what a callback throws", async (load) => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  const thrown = new Error("no more, please");
  const fail = () => {
    throw thrown;
  };
  const about = { connections: 2, duration: 60_000 };
  // At once, for an interval takes a second.
  await Promise.all([1, 2].flatMap((threads) =>
    [{ onStart: fail }, { onInterval: fail }].map(async (callback) => {
      const failing = () => load(server.endpoints[0]!, { ...about, threads, ...callback });
      assertEquals(await assertRejects(failing, Error), thrown);
    })
  ));
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

boundedOnEach("bench() names a server that sends more than it got", async (load) => {
  await using server = answering((bytes, conn) => writeAll(conn, new Uint8Array([...bytes, 1])));
  const result = await load(server.endpoint, { connections: 2 });
  assertEquals(result.messages, 2);
  assertEquals(faults(result), { ...WELL, errors: { "more came back than was sent": 2 }, exitCode: 3 });
});

boundedOnEach("bench() names a server that sends more at the very end", async (load) => {
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

boundedOnEach("bench() names a server that sends other bytes, unless it is not to look", async (load) => {
  await using server = answering((bytes, conn, read) => {
    if (read === 2) bytes[bytes.length - 1]! ^= 1;
    return writeAll(conn, bytes);
  });
  const result = await load(server.endpoint, {});
  assertEquals(result.messages, 2);
  assertEquals(faults(result), { ...WELL, lost: 1, errors: { "other bytes came back": 1 }, exitCode: 3 });
  const blind = await load(server.endpoint, { messages: 10, verify: false });
  assertEquals([blind.messages, faults(blind)], [10, WELL]);
});

boundedOnEach("bench() names a server that closes early", async (load) => {
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
  boundedOnEach(`bench() ends with a server that ${how}`, async (load) => {
    const over = Promise.withResolvers<void>();
    await using server = reads ? answering(() => {}) : new ScriptedServer(() => over.promise);
    const size = reads ? 64 : 1e6;
    const result = await load(server.endpoint, { duration: 60_000, size, depth: 8, timeout: 200 });
    over.resolve();
    assertEquals([result.messages, result.bytes, result.latency_us], [0, 0, null]);
    assertGreaterOrEqual(result.lost, 1);
    if (reads) assertEquals(result.lost, 8);
    const errors = { "no answer for 200ms": 1 };
    assertEquals(faults(result), { ...WELL, lost: result.lost, errors, exitCode: 3 });
  });
}

boundedOnEach("bench() counts resets, and replaces connections where it is to", async (load) => {
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

boundedOnEach("bench() counts attempts to reconnect that fail", async (load) => {
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

boundedOnEach("bench() with a rate counts latencies from when messages were due", async (load) => {
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

boundedOnEach("bench() with a rate that nobody could reach ends", async (load) => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  const result = await load(server.endpoints[0]!, { rate: 1e8, duration: 10, timeout: 2000 });
  assertEquals(result.messages + result.lost + result.unfinished, 1e6);
  assert(result.messages > 0);
});

boundedOnEach("bench() ends early with what was measured", async (load) => {
  let onEchoed = () => {};
  await using server = await startServer({
    endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"],
    subscribers: [({ type }) => type === "echoed" && onEchoed()],
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

boundedOnEach("bench() tells lost, late, duplicate and damaged datagrams apart", async (load) => {
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
    ...WELL,
    lost: 3,
    late: 1,
    duplicate: 1,
    errors: { "other bytes came back": 2 },
    exitCode: 3,
  });
  assertEquals(result.messages, 6);
});

boundedOnEach("bench() survives loss with many datagrams in flight", async (load) => {
  await using peer = faultyUdpPeer(Array.from({ length: 200 }, (_, index) => index % 5 === 0 ? "drop" : "echo"));
  const closed = await load(peer.endpoint, { connections: 2, depth: 20, messages: 200, wait: 400 });
  assertEquals([closed.messages, closed.lost, closed.late, closed.duplicate], [160, 40, 0, 0]);
  await using other = faultyUdpPeer(Array.from({ length: 200 }, (_, index) => index % 5 === 0 ? "drop" : "echo"));
  const open = await load(other.endpoint, { connections: 2, rate: 1000, messages: 200, wait: 400 });
  assertEquals([open.messages, open.lost, open.late, open.duplicate], [160, 40, 0, 0]);
});

boundedOnEach("bench() names datagrams of another length", async (load) => {
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
  const errors = { "more came back than was sent": 1, "other bytes came back": 1 };
  // What came back without its beginning is not known for what it answers.
  assertEquals(faults(result), { ...WELL, lost: 1, errors, exitCode: 3 });
});

for (
  const [how, prepare, why] of [
    ["a path without a socket", () => {}, "no such file or directory"],
    ["a socket that nobody has open", (path: string) => {
      Deno.listenDatagram({ transport: "unixpacket", path }).close();
    }, "connection refused"],
  ] as const
) {
  bounded(`bench() cannot run at ${how}`, async () => {
    using folder = new TempFolder();
    const path = folder.file("dead.sock");
    prepare(path);
    for (const options of [{ depth: 8 }, { rate: 1000 }, { connections: 4, threads: 2 }]) {
      const error = await assertRejects(
        () => load({ transport: "unixgram", path }, { duration: 60_000, wait: 60_000, ...options }),
        EndpointError,
      );
      assertEquals(error.message, `cannot send to unixgram://${path}: ${why}`);
    }
  }, { ignore: Deno.build.os === "windows" });
}

bounded("bench() says once that a server of datagrams has gone", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  const serve = async () => {
    for (let i = 0; i < 10; i++) {
      const [datagram, from] = await socket.receive();
      await socket.send(datagram, from);
    }
    socket.close();
  };
  const serving = serve();
  const result = await load({ transport: "unixgram", path }, { duration: 60_000, wait: 60_000, depth: 2 });
  await serving;
  // The last answer may be on its way when the next message finds nobody.
  assert(result.messages === 9 || result.messages === 10, `${result.messages} answers`);
  const errors = { "cannot send: connection refused": 1 };
  assertEquals(faults(result), { ...WELL, lost: result.lost, refused: 1, errors, exitCode: 3 });
  assertGreaterOrEqual(result.lost, 1);
}, { ignore: Deno.build.os === "windows" });

boundedOnEach("bench() with a rate counts what is due on a dead connection as lost", async (load) => {
  let connections = 0;
  await using server = new ScriptedServer(async (conn) => {
    const dies = connections++ === 0;
    const buffer = new Uint8Array(64);
    for (let read = 0; await conn.read(buffer) !== null; read++) {
      if (dies && read === 3) return;
      await writeAll(conn, buffer);
    }
  });
  const result = await load(server.endpoint, { connections: 2, rate: 200, messages: 100 });
  assertEquals([result.messages, result.lost, result.unfinished, result.exitCode], [53, 47, 0, 3]);
  // What is due in the warm-up does not count.
  connections = 0;
  const warm = await load(server.endpoint, { connections: 2, rate: 200, messages: 50, warmup: 100 });
  assertEquals(warm.messages + warm.lost, 50);
  assertGreaterOrEqual(warm.lost, 25);
});

boundedOnEach(
  "bench() with a rate ends where no connection is left, and counts the rest of the schedule as lost",
  async (load) => {
    await using server = answering((bytes, conn, read) => read < 3 ? writeAll(conn, bytes) : "close");
    for (const options of [{}, { connections: 4, threads: 2 }]) {
      const result = await load(server.endpoint, { rate: 100, duration: 3_600_000, ...options });
      assertEquals(result.messages, 3 * (options.connections ?? 1));
      assertEquals(result.messages + result.lost, 360_000);
      assertEquals(result.exitCode, 3);
    }
  },
);

boundedOnEach("bench() with a rate counts what is due on connections that never came up as lost", async (load) => {
  await using server = await startSingleServer(1e6);
  const result = await load(server.endpoint, { connections: 300, rate: 1000, messages: 600, timeout: 500 });
  const errors = { "cannot connect: timed out": 299 };
  assertEquals(result.messages, 2);
  assertEquals(faults(result), { ...WELL, lost: 598, refused: 299, errors, exitCode: 3 });
}, { ignore: Deno.build.os !== "linux" });

boundedOnEach(
  "bench() waits for a server that answers no attempt to connect once, not for each connection",
  async (load) => {
    await using hole = await fullListener();
    for (const threads of [1, 2]) {
      // One after the other, the attempts would take minutes.
      const error = await assertRejects(
        () => load(hole.endpoint, { connections: 30_000, threads, timeout: 300 }),
        EndpointError,
      );
      assertEquals(error.message, `cannot connect to tcp://127.0.0.1:${hole.endpoint.port}: no answer within 300ms`);
    }
  },
  { ignore: Deno.build.os !== "linux" },
);

boundedOnEach("bench() stops connecting when it is ended, or when there is no time left to send", async (load) => {
  await using hole = await fullListener();
  for (const threads of [1, 2]) {
    const stopping = new AbortController();
    const stopped = load(hole.endpoint, { connections: 1000, threads, timeout: 3_600_000, signal: stopping.signal });
    setTimeout(() => stopping.abort(), 100);
    assertEquals(faults(await stopped), WELL);
  }
  await using closing = await startSingleServer(5);
  const result = await load(closing.endpoint, { duration: 400, reconnect: true, timeout: 3_600_000 });
  assertEquals(result.messages, 5);
  assertEquals([result.lost, result.refused], [1, 0]);
}, { ignore: Deno.build.os !== "linux" });

/** A server that echoes so many bytes at a time, with pauses of so many milliseconds. */
function trickling(piece: number, pause: number): ScriptedServer {
  return answering(async (bytes, conn) => {
    for (let at = 0; at < bytes.length; at += piece) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      await writeAll(conn, bytes.subarray(at, at + piece));
    }
  });
}

boundedOnEach("bench() takes a message that is still on its way at the end for unfinished", async (load) => {
  await using server = trickling(1000, 5);
  const loads: BenchOptions[] = [{}, { rate: 30 }, { threads: 2 }];
  await Promise.all(loads.map(async (options) => {
    const intervals: number[] = [];
    const connections = options.threads ?? 1;
    const onInterval = ({ bytes }: { bytes: number }) => void intervals.push(bytes);
    const about = { duration: 50, connections, size: 1e8, timeout: 300, onInterval };
    const result = await load(server.endpoint, { ...about, ...options });
    assertEquals([result.messages, result.latency_us], [0, null]);
    // With a rate, a second message was due that could not even be begun.
    const [lost, exitCode] = options.rate ? [1, 3] : [0, 0];
    assertEquals(faults(result), { ...WELL, unfinished: connections, lost, exitCode });
    assertGreaterOrEqual(result.unfinished_bytes, 10_000);
    assertEquals(result.bytes, result.unfinished_bytes);
    assertEquals(intervals.reduce((a, b) => a + b), result.bytes);
    assert(
      result.bytes_per_s > 0 && result.duration_s > 0.2,
      `${result.bytes_per_s} bytes/s in ${result.duration_s} s`,
    );
  }));
});

boundedOnEach("bench() waits for all messages where they are counted, as long as anything comes", async (load) => {
  await using server = trickling(5000, 10);
  const result = await load(server.endpoint, { messages: 1, size: 600_000, timeout: 400, wait: 100 });
  assertEquals([result.messages, faults(result)], [1, WELL]);
});

boundedOnEach("bench() takes what is in flight for unfinished where it is ended", async (load) => {
  for (const datagrams of [false, true]) {
    const stopping = new AbortController();
    let got = 0;
    const onMessage = () => {
      if (++got === 4) stopping.abort();
    };
    await using server = datagrams
      ? new ScriptedDatagramServer(() => Promise.resolve(onMessage()))
      : answering(onMessage);
    const options = { connections: 4, duration: 60_000, timeout: 60_000, wait: 60_000, signal: stopping.signal };
    const result = await load(server.endpoint, options);
    assertEquals([result.messages, faults(result)], [0, { ...WELL, unfinished: 4 }]);
  }
});
