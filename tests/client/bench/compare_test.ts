import { assertEquals } from "@std/assert";
import { compare, ratioLines } from "../../../client/bench/compare.ts";
import type { BenchSummary } from "../../../client/bench/result.ts";

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
