import { assertEquals } from "@std/assert";
import { planOf } from "../../../client/bench/bench.ts";
import { type LoadCounts, noCounts } from "../../../client/bench/load/counters.ts";
import { BenchTally } from "../../../client/bench/tally.ts";
import type { Endpoint } from "../../../lib/endpoint.ts";
import { recorderOf } from "../../helpers/reports.ts";

const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };

/** What a thread tells of a span of time, with latencies in milliseconds. */
function report(from: number, to: number, latencies: number[], counts: Partial<LoadCounts> = {}, partialBytes = 0) {
  const times = latencies.map((time) => time * 1e6);
  const rest = { counts: { ...noCounts(), ...counts }, partialBytes, busy: undefined, behind: undefined };
  return { from, to, latencies: recorderOf(...times), ...rest };
}

Deno.test("BenchTally adds up threads, and tells of a second once all threads have reported it", () => {
  const told: [number, number, number, number][] = [];
  const tally = new BenchTally(
    planOf(endpoint, { size: 10, engine: "portable" }),
    2,
    ({ start, end, latencies, bytes }) => told.push([start, end, latencies.count, bytes]),
  );
  tally.begin(5000);
  const broken = { lost: 1, broken: { "connection reset by the peer": 1 } };
  tally.add(0, report(0, 1001, [1, 2], { refused: { "cannot connect: timed out": 2 } }));
  tally.add(0, report(1001, 2002, [3], { refused: { "cannot connect: timed out": 2 } }));
  tally.add(1, report(0, 1003, [1], broken));
  assertEquals(told, []);
  tally.add(1, report(1003, 2001, [1, 1], broken));
  assertEquals(told, [[5000, 6003, 3, 30]]);
  // A rest is no interval of its own.
  tally.add(0, report(2002, 2040, [9], { refused: { "cannot connect: timed out": 3 } }));
  tally.add(1, report(2001, 2050, [], broken));
  const { latency_us, ...rest } = tally.end();
  assertEquals(told, [[5000, 6003, 3, 30], [6001, 7050, 4, 40]]);
  assertEquals(rest, {
    endpoint: "tcp://127.0.0.1:7",
    messages: 7,
    bytes: 70,
    duration_s: 2.05,
    messages_per_s: 3.4,
    bytes_per_s: 34,
    lost: 1,
    late: 0,
    duplicate: 0,
    unfinished: 0,
    unfinished_bytes: 0,
    refused: 3,
    errors: { "cannot connect: timed out": 3, "connection reset by the peer": 1 },
    busy: null,
    behind_us: null,
    dropped: null,
  });
  assertEquals([latency_us?.min, latency_us?.max], [1000, 9000]);
});

Deno.test("BenchTally counts the bytes of messages that are not answered whole", () => {
  const bytes: number[] = [];
  const tally = new BenchTally(planOf(endpoint, { size: 100 }), 1, (interval) => bytes.push(interval.bytes));
  tally.add(0, report(0, 1000, [], {}, 70));
  // The rest of that message, and the beginning of the next, which is then lost.
  tally.add(0, report(1000, 2000, [1], {}, 20));
  tally.add(0, report(2000, 3000, [], { lost: 1 }));
  tally.add(0, report(3000, 4000, [], { lost: 1, unfinished: 1, unfinishedBytes: 60 }, 60));
  const summary = tally.end();
  assertEquals(bytes, [70, 50, 0, 60]);
  assertEquals([summary.messages, summary.bytes, summary.unfinished, summary.unfinished_bytes], [1, 160, 1, 60]);
  assertEquals(summary.bytes_per_s, 40);
});

Deno.test("BenchTally tells of the busiest thread, and of what all of them dropped", () => {
  for (const [engine, dropped] of [["auto", 5], ["portable", null]] as const) {
    const plan = { ...planOf(endpoint, {}), native: engine === "auto" };
    const tally = new BenchTally(plan, 2);
    tally.add(0, { ...report(0, 1000, [1], { dropped: 1 }), busy: 0.9, behind: 1 });
    tally.add(0, { ...report(1000, 2000, [1], { dropped: 2 }), busy: 0.12345, behind: 3 });
    tally.add(1, { ...report(0, 1000, [1], { dropped: 3 }), busy: 0.5, behind: 2.00005 });
    const summary = tally.end();
    assertEquals([summary.busy, summary.behind_us, summary.dropped], [0.5, 3000, dropped]);
  }
});
