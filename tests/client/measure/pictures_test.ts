import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LatencyRecorder } from "../../../client/measure/latency.ts";
import { bucketLatencies, histogramLines, sparkline } from "../../../client/measure/pictures.ts";
import { recorderOf } from "../../helpers/reports.ts";

/** Latencies from 100 ns to an hour, evenly spread over the orders of magnitude, in nanoseconds. */
const latencies = fc.array(
  fc.double({ min: Math.log(100), max: Math.log(3600e9), noNaN: true }).map((log) => Math.round(Math.exp(log))),
  { minLength: 1, maxLength: 300 },
);

Deno.test("bucketLatencies() puts each latency into one of a few adjacent ranges", () => {
  fc.assert(
    fc.property(latencies, fc.integer({ min: 16, max: 60 }), (samples, most) => {
      const buckets = bucketLatencies(recorderOf(...samples), most);
      assert(buckets.length >= 1 && buckets.length <= most, `${buckets.length} of ${most}`);
      assertEquals(buckets.reduce((sum, bucket) => sum + bucket.count, 0), samples.length);
      buckets.slice(1).forEach((bucket, index) => assertEquals(bucket.from, buckets[index]!.to));
      assert(buckets.every((bucket) => bucket.from < bucket.to));
      assert(buckets[0]!.from <= Math.min(...samples) && Math.max(...samples) < buckets.at(-1)!.to);
    }),
    { examples: [[[1005], 16]] },
  );
});

Deno.test("bucketLatencies() makes ranges of equal width when the latencies are alike", () => {
  assertEquals(bucketLatencies(recorderOf(1000, 1100, 1150), 20).map(({ from, to, count }) => [from, to, count]), [
    [1000, 1010, 1],
    ...Array.from({ length: 9 }, (_, index) => [1010 + 10 * index, 1020 + 10 * index, 0]),
    [1100, 1110, 1],
    ...Array.from({ length: 4 }, (_, index) => [1110 + 10 * index, 1120 + 10 * index, 0]),
    [1150, 1160, 1],
  ]);
});

Deno.test("histogramLines() draws ranges that grow when the latencies differ by orders of magnitude", () => {
  assertEquals(histogramLines(recorderOf(90_000, 95_000, 130_000, 200_000, 470_000), 40), [
    " 80us – 100us ████████████████ 2  40.0 %",
    "100us – 120us                  0   0.0 %",
    "120us – 150us ████████         1  20.0 %",
    "150us – 200us                  0   0.0 %",
    "200us – 250us ████████         1  20.0 %",
    "250us – 300us                  0   0.0 %",
    "300us – 400us                  0   0.0 %",
    "400us – 500us ████████         1  20.0 %",
  ]);
});

Deno.test("histogramLines() keeps to the width and loses no sample from sight", () => {
  fc.assert(fc.property(latencies, fc.integer({ min: 50, max: 200 }), (samples, width) => {
    const lines = histogramLines(recorderOf(...samples), width);
    assert(lines.length > 0 && lines.length <= 20);
    assertEquals(new Set(lines.map((line) => line.length)), new Set([width]));
    for (const line of lines) assertEquals(/[█▏▎▍▌▋▊▉]/.test(line), !/ 0 +0\.0 %$/.test(line));
  }));
});

Deno.test("histogramLines() draws nothing when nothing was recorded", () => {
  assertEquals(histogramLines(new LatencyRecorder(), 80), []);
});

Deno.test("sparkline() draws the latest values from the lowest to the highest", () => {
  assertEquals(sparkline([100, 0, 1, 2, 3, 4, 5, 6, 7], 8), "▁▂▃▄▅▆▇█");
  assertEquals(sparkline([5, 5, 5], 10), "▁▁▁");
  assertEquals(sparkline([NaN, 1, NaN, 2], 10), " ▁ █");
  assertEquals(sparkline([NaN], 10), " ");
  assertEquals(sparkline([1, 2], 0), "");
  assertEquals(sparkline([], 10), "");
});
