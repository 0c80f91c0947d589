import { assertEquals } from "@std/assert";
import {
  type BenchSummary,
  exitCodeOf,
  formatByteRate,
  resultLine,
  resultLines,
} from "../../../client/bench/result.ts";
import { latencySummary } from "../../../client/measure/summary.ts";
import { recorderOf } from "../../helpers/reports.ts";

/** The result of a load of two seconds with these latencies, in milliseconds. */
function summary(times: number[], rest: Partial<BenchSummary> = {}): BenchSummary {
  return {
    endpoint: "tcp://127.0.0.1:7",
    messages: times.length,
    bytes: 64 * times.length,
    duration_s: 2,
    messages_per_s: times.length / 2,
    bytes_per_s: 32 * times.length,
    lost: 0,
    late: 0,
    duplicate: 0,
    unfinished: 0,
    unfinished_bytes: 0,
    refused: 0,
    errors: {},
    busy: null,
    behind_us: null,
    dropped: null,
    latency_us: latencySummary(recorderOf(...times.map((time) => time * 1e6))),
    ...rest,
  };
}

Deno.test("exitCodeOf() tells what happened", () => {
  const connect = { "cannot connect: connection refused": 1 };
  assertEquals(exitCodeOf(summary([1])), 0);
  assertEquals(exitCodeOf(summary([1], { lost: 1 })), 3);
  assertEquals(exitCodeOf(summary([1], { duplicate: 1 })), 3);
  assertEquals(exitCodeOf(summary([1], { errors: { "the server closed the connection": 1 } })), 3);
  assertEquals(exitCodeOf(summary([], { errors: { "other bytes came back": 1 } })), 3);
  assertEquals(exitCodeOf(summary([1], { refused: 1, errors: connect })), 1);
  assertEquals(exitCodeOf(summary([], { refused: 1, errors: connect, lost: 1 })), 1);
  assertEquals(exitCodeOf(summary([1], { refused: 1, errors: connect, lost: 1 })), 3);
  assertEquals(exitCodeOf(summary([1], { refused: 1, errors: { ...connect, "other bytes came back": 1 } })), 3);
  assertEquals(exitCodeOf(summary([], { unfinished: 1 })), 0);
});

Deno.test("resultLines() and resultLine() say what went wrong", () => {
  const times = [...Array<number>(98).fill(1), 2, 40];
  assertEquals(resultLines(summary(times, { lost: 1, late: 1, errors: { "other bytes came back": 2 } })), [
    "messages  100 in 2s: 50/s, 0.00 MB/s each way",
    "latency   min 1ms, mean 1.4ms, max 40ms",
    "          p50 1ms, p90 1ms, p99 2ms",
    "          p99.9 40ms, p99.99 40ms, p99.999 40ms",
    "1 lost (0.99 %, 1 late)",
    "2 x other bytes came back",
  ]);
  assertEquals(resultLines(summary([])), [
    "messages  0 in 2s: 0/s, 0.00 MB/s each way",
    "no faults",
  ]);
  assertEquals(resultLine(summary([1, 3], { duplicate: 1 })), "1/s, p50 1ms, p99 3ms, 1 duplicate");
});

Deno.test("resultLines() and resultLine() show what is unfinished, which is no fault", () => {
  const huge = { bytes_per_s: 2.5e9, unfinished: 1, unfinished_bytes: 5 * 1024 ** 3 };
  assertEquals(resultLines(summary([], huge)), [
    "messages  0 in 2s: 0/s, 2,500 MB/s each way",
    "1 unfinished, of which 5 GiB came back",
    "no faults",
  ]);
  assertEquals(
    resultLine(summary([1], { unfinished: 2, lost: 1 })),
    "1/s, p50 1ms, p99 1ms, 2 unfinished, 1 lost (50 %)",
  );
});

Deno.test("resultLines() and resultLine() say what the load generator did not manage", () => {
  const last = (rest: Partial<BenchSummary>) => resultLines(summary([1], { dropped: 0, ...rest })).slice(4);
  assertEquals(last({ busy: 0.374 }), ["no faults", "the load generator was busy 37 % of the time"]);
  assertEquals(last({ busy: 0.99, behind_us: 900 }), ["no faults", "the load generator was busy 99 % of the time"]);
  assertEquals(last({ busy: 0.99 }), [
    "no faults",
    "the load generator was busy 99 % of the time: it was the limit, not the server",
  ]);
  const late = "up to 704ms behind, which is part of some latencies";
  assertEquals(last({ busy: 0.64, behind_us: 704_000 }), [
    "no faults",
    `the load generator was busy 64 % of the time and ${late}`,
  ]);
  assertEquals(last({ behind_us: 704_000 }), ["no faults", `the load generator was ${late}`]);
  const behind =
    "the load generator was busy 100 % of the time and up to 12ms behind: it was the limit, not the server";
  const rest = { busy: 1, behind_us: 12_000, dropped: 1234, lost: 1 };
  const dropped = "1,234 datagrams dropped in this program's own receive buffer";
  assertEquals(last(rest), ["1 lost (50 %)", dropped, behind]);
  assertEquals(resultLine(summary([1], rest)), `1/s, p50 1ms, p99 1ms, 1 lost (50 %), ${dropped}, ${behind}`);
  assertEquals(
    resultLine(summary([1], { busy: 0.5, dropped: 1 })),
    "1/s, p50 1ms, p99 1ms, 1 datagram dropped in this program's own receive buffer",
  );
});

Deno.test("resultLines() says of no limit where there was nothing to measure it by", () => {
  const busy = "the load generator was busy 99 % of the time";
  assertEquals(resultLines(summary([], { busy: 0.99 })).at(-1), busy);
  assertEquals(resultLines(summary([1], { busy: 0.99, duration_s: 0.003 })).at(-1), busy);
});

Deno.test("formatByteRate() writes bytes a second", () => {
  assertEquals(formatByteRate(9_580_000), "9.58 MB/s");
  assertEquals(formatByteRate(1_430_000_000), "1,430 MB/s");
});
