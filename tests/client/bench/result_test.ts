import { assertEquals } from "@std/assert";
import { compare, ratioLines } from "../../../client/bench/compare.ts";
import type { Faults } from "../../../client/bench/schedule.ts";
import { progressLine } from "../../../client/bench/progress.ts";
import { type BenchSummary, BenchTally, resultLine, resultLines } from "../../../client/bench/result.ts";
import type { Endpoint } from "../../../lib/endpoint.ts";
import { LatencyRecorder } from "../../../client/measure/latency.ts";

const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };
const NONE: Faults = { lost: 0, late: 0, duplicated: 0, refused: {}, broken: {} };

function recorded(...milliseconds: number[]): LatencyRecorder {
  const latencies = new LatencyRecorder();
  for (const time of milliseconds) latencies.record(time * 1e6);
  return latencies;
}

/** The result of a load that had these faults. */
function tallied(faults: Partial<Faults>, ...milliseconds: number[]): BenchTally {
  const tally = new BenchTally({ endpoint, size: 64, threads: 1 });
  tally.add(0, { from: 0, to: 2000, latencies: recorded(...milliseconds), faults: { ...NONE, ...faults } });
  return tally;
}

Deno.test("BenchTally adds up threads, and tells of a second once all threads have reported it", () => {
  const told: [number, number, number][] = [];
  const tally = new BenchTally(
    { endpoint, size: 10, threads: 2 },
    ({ start, end, latencies }) => told.push([start, end, latencies.count]),
  );
  tally.begin(5000);
  const broken = { ...NONE, lost: 1, broken: { "connection reset by the peer": 1 } };
  tally.add(0, { from: 0, to: 1001, latencies: recorded(1, 2), faults: NONE });
  tally.add(0, { from: 1001, to: 2002, latencies: recorded(3), faults: NONE });
  tally.add(1, { from: 0, to: 1003, latencies: recorded(1), faults: broken });
  assertEquals(told, []);
  tally.add(1, { from: 1003, to: 2001, latencies: recorded(1, 1), faults: broken });
  assertEquals(told, [[5000, 6003, 3]]);
  // A rest is no interval of its own.
  tally.add(0, { from: 2002, to: 2040, latencies: recorded(9), faults: NONE });
  tally.add(1, { from: 2001, to: 2050, latencies: recorded(), faults: broken });
  tally.close();
  assertEquals(told, [[5000, 6003, 3], [6001, 7050, 4]]);
  const { latency_us, ...rest } = tally.summary();
  assertEquals(rest, {
    endpoint: "tcp://127.0.0.1:7",
    messages: 7,
    bytes: 70,
    duration_s: 2.05,
    messages_per_s: 3.4,
    bytes_per_s: 34,
    lost: 1,
    late: 0,
    duplicated: 0,
    errors: { "connection reset by the peer": 1 },
  });
  assertEquals([latency_us?.min, latency_us?.max], [1000, 9000]);
});

Deno.test("BenchTally.exitCode tells what happened", () => {
  assertEquals(tallied({}, 1).exitCode, 0);
  assertEquals(tallied({ lost: 1 }, 1).exitCode, 3);
  assertEquals(tallied({ duplicated: 1 }, 1).exitCode, 3);
  assertEquals(tallied({ broken: { "other bytes came back": 1 } }).exitCode, 3);
  assertEquals(tallied({ refused: { "cannot connect: connection refused": 1 } }, 1).exitCode, 1);
  assertEquals(tallied({ refused: { "cannot send: no such file or directory": 1 }, lost: 1 }).exitCode, 1);
  assertEquals(tallied({ refused: { "cannot connect: connection refused": 1 }, lost: 1 }, 1).exitCode, 3);
});

Deno.test("resultLines() and resultLine() say what went wrong", () => {
  const times = [...Array<number>(98).fill(1), 2, 40];
  assertEquals(resultLines(tallied({ lost: 1, late: 1, broken: { "other bytes came back": 2 } }, ...times).summary()), [
    "messages  100 in 2s: 50/s, 0.00 MB/s each way",
    "latency   min 1ms, mean 1.4ms, max 40ms",
    "          p50 1ms, p90 1ms, p99 2ms",
    "          p99.9 40ms, p99.99 40ms, p99.999 40ms",
    "1 lost (0.99 %, 1 late)",
    "2 x other bytes came back",
  ]);
  assertEquals(resultLines(tallied({}).summary()), [
    "messages  0 in 2s: 0/s, 0.00 MB/s each way",
    "no faults",
  ]);
  assertEquals(resultLine(tallied({ duplicated: 1 }, 1, 3).summary()), "1/s, p50 1ms, p99 3ms, 1 doubled");
});

Deno.test("compare() takes the ratios pair by pair", () => {
  const summary = (messages_per_s: number, p50: number) =>
    ({ messages_per_s, latency_us: { p50, p99: 2 * p50 } }) as BenchSummary;
  const ratios = compare([
    [summary(100, 10), summary(50, 20)],
    [summary(90, 10), summary(100, 10)],
    [summary(60, 10), summary(50, 10)],
  ]);
  assertEquals(ratios, {
    messages_per_s: { median: 1.2, min: 0.9, max: 2 },
    latency_p50: { median: 1, min: 0.5, max: 1 },
    latency_p99: { median: 1, min: 0.5, max: 1 },
  });
  assertEquals(ratioLines(ratios)[1], "  messages/s   1.2 (0.9 to 2)");
  assertEquals(compare([[summary(100, 10), { ...summary(0, 0), latency_us: null }]]), {
    messages_per_s: null,
    latency_p50: null,
    latency_p99: null,
  });
});

Deno.test("progressLine() shows the share that is done, the rate and the 99th percentile", () => {
  const tally = tallied({}, 1, 1, 1, 2);
  const load = { title: "tcp://:7", tally, start: 10_000, duration: 4000, messages: undefined };
  assertEquals(progressLine(load, 9999), "tcp://:7 warming up");
  assertEquals(progressLine(load, 12_000), `tcp://:7 ${"█".repeat(15)}${"░".repeat(15)} 50 %  2/s  p99 2ms`);
  assertEquals(
    progressLine({ ...load, duration: Infinity, messages: 16 }, 12_000),
    `tcp://:7 ${"█".repeat(8)}${"░".repeat(22)} 25 %  2/s  p99 2ms`,
  );
});
