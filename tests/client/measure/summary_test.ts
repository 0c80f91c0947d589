import { assertAlmostEquals, assertEquals } from "@std/assert";
import { LatencyRecorder } from "../../../client/measure/latency.ts";
import { latencySummary, rttSummary } from "../../../client/measure/summary.ts";
import { recorderOf } from "../../helpers/reports.ts";

Deno.test("rttSummary() gives what one works out by hand", () => {
  // 2, 4, 4, 4, 5, 5, 7, 9: the mean is 5, the squared distances add up to 32, and √(32 / 7) is 2.138.
  assertEquals(rttSummary(recorderOf(...[2, 4, 4, 4, 5, 5, 7, 9].map((us) => us * 1000))), {
    min: 2,
    mean: 5,
    // The fourth of eight; 4000 ns and 4001 ns share a place in the histogram.
    median: 4.001,
    p90: 9,
    p99: 9,
    max: 9,
    stddev: 2.138,
  });
});

Deno.test("latencySummary() gives the ranks that one works out by hand for 1 to 100,000 us", () => {
  const recorder = new LatencyRecorder();
  for (let us = 1; us <= 100_000; us++) recorder.record(us * 1000);
  const summary = latencySummary(recorder)!;
  assertEquals([summary.min, summary.mean, summary.max], [1, 50_000.5, 100_000]);
  const ranks = { p50: 50_000, p90: 90_000, p99: 99_000, p99_9: 99_900, p99_99: 99_990, p99_999: 99_999 };
  for (const [name, rank] of Object.entries(ranks)) {
    assertAlmostEquals(summary[name as keyof typeof ranks], rank, rank / 1000, name);
  }
});

Deno.test("rttSummary() and latencySummary() give null when nothing was recorded", () => {
  assertEquals(rttSummary(new LatencyRecorder()), null);
  assertEquals(latencySummary(new LatencyRecorder()), null);
});
