import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LatencyRecorder } from "../../../client/measure/latency.ts";
import { bucketLatencies, histogramLines, sparkline } from "../../../client/measure/pictures.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
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

/** Counts of messages up to what a week of load comes to. */
const counts = fc.double({ min: 0, max: Math.log(1e12), noNaN: true }).map((log) => Math.round(Math.exp(log)));

Deno.test("histogramLines() keeps to any width from 40 columns up and loses no latency from sight", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(latencies, counts), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 40, max: 200 }),
      (loads, width) => {
        const recorder = new LatencyRecorder();
        for (const [samples, count] of loads) for (const ns of samples) recorder.recordRange(ns, ns, count);
        const lines = histogramLines(recorder, width);
        assert(lines.length > 0 && lines.length <= 20);
        assertEquals(new Set(lines.map(textWidth)), new Set([width]), lines.join("\n"));
        const filled = bucketLatencies(recorder, 20).map(({ count }) => count > 0);
        assertEquals(lines.map((line) => /[█▏▎▍▌▋▊▉]/.test(line)), filled);
        assert(lines.some((line) => line.includes("█".repeat(8))), "a bar of eight columns");
      },
    ),
    // Limits like 16m 40s on both sides of a count of twelve digits.
    { examples: [[[[[90_000, 3599e9], 999_999_999_999]], 40]] },
  );
});

Deno.test("histogramLines() leaves out the counts where they would take the room of the bars", () => {
  const recorder = new LatencyRecorder();
  recorder.recordRange(100_000, 100_000, 3e12);
  recorder.recordRange(3599e9, 3599e9, 1e12);
  const [wide, narrow] = [60, 40].map((width) => histogramLines(recorder, width));
  assertEquals(wide![0], "     100us –        1ms ██████████████ 3000000000000  75.0 %");
  assertEquals(narrow![0], "     100us –        1ms ████████  75.0 %");
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
