import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from "hdr-histogram-js";
import { Buffer } from "node:buffer";
import { MeariError } from "../../../lib/errors.ts";
import { decodeHistogram, HistogramSum } from "../../../client/measure/hdr_histogram.ts";
import type { LatencyRecorder } from "../../../client/measure/latency.ts";
import { latencySummary, rttSummary } from "../../../client/measure/summary.ts";
import { encoded, histogramOf } from "../../helpers/histograms.ts";
import { recorderOf } from "../../helpers/reports.ts";

/** Latencies from 100 ns to an hour, evenly spread over the orders of magnitude, in nanoseconds. */
const latencies = fc.array(
  fc.double({ min: Math.log(100), max: Math.log(3600e9), noNaN: true }).map((log) => Math.round(Math.exp(log))),
  { minLength: 1, maxLength: 300 },
);

/** What comes of histograms in Base64. */
function sumOf(...histograms: string[]): LatencyRecorder {
  const sum = new HistogramSum();
  for (const histogram of histograms) sum.add(decodeHistogram(histogram));
  return sum.recorder();
}

function encode(recorder: LatencyRecorder): string {
  return encodeIntoCompressedBase64(recorder.histogram);
}

Deno.test("decodeHistogram() reads counts and zeros as one works out by hand", () => {
  // Words are zigzag: 4 is a count of 2, 5 is three zeros, 0 is one.
  assertEquals(decodeHistogram(encoded(histogramOf([4, 5, 2, 0, 6]))), {
    layout: { unitMagnitude: 0, steps: 1024 },
    indices: [0, 4, 6],
    counts: [2, 1, 3],
    total: 6,
  });
});

Deno.test("decodeHistogram() and HistogramSum are as exact as the histogram", () => {
  fc.assert(fc.property(latencies, (samples) => {
    const recorder = recorderOf(...samples);
    const copy = sumOf(encode(recorder));
    assertEquals(copy.count, recorder.count);
    for (const key of ["min", "mean", "p50", "p99", "max"] as const) {
      const expected = latencySummary(recorder)![key];
      assertAlmostEquals(latencySummary(copy)![key], expected, 0.001 + expected / 1000, key);
    }
  }));
});

Deno.test("decodeHistogram() and HistogramSum agree with hdr-histogram-js, whatever the layout", () => {
  const layout = fc.record({ digits: fc.constantFrom(1, 2, 3, 4, 5), lowest: fc.integer({ min: 1, max: 100_000 }) });
  fc.assert(fc.property(latencies, layout, (samples, { digits, lowest }) => {
    const histogram = build({
      lowestDiscernibleValue: lowest,
      highestTrackableValue: 4e12,
      numberOfSignificantValueDigits: digits as 1 | 2 | 3 | 4 | 5,
      bitBucketSize: 64,
    });
    for (const ns of samples) histogram.recordValue(ns);
    const base64 = encodeIntoCompressedBase64(histogram);
    const other = decodeFromCompressedBase64(base64, 64) as JsHistogram;
    const recorder = sumOf(base64);
    assertEquals(recorder.count, samples.length);
    assertEquals(recorder.min, other.lowestEquivalentValue(Math.min(...samples)) / 1000);
    assertEquals(recorder.max, other.highestEquivalentValue(Math.max(...samples)) / 1000);
    assertAlmostEquals(recorder.mean * 1000, other.mean, 1);
  }));
});

Deno.test("HistogramSum gives what one recorder of all samples gives", () => {
  fc.assert(fc.property(fc.array(latencies, { minLength: 1, maxLength: 5 }), (parts) => {
    const sum = sumOf(...parts.map((part) => encode(recorderOf(...part))));
    const whole = sumOf(encode(recorderOf(...parts.flat())));
    assertEquals(rttSummary(sum), rttSummary(whole));
    assertEquals(sum.count, parts.flat().length);
  }));
});

Deno.test("HistogramSum adds histograms of different layouts", () => {
  // The ninth place of one is 8 to 8 ns, of the other 8192 to 9215 ns.
  const [fine, coarse] = [histogramOf([15, 2]), histogramOf([15, 4], { lowest: 1024 })];
  const sum = sumOf(encoded(fine), encoded(coarse));
  assertEquals([sum.count, sum.min, sum.max], [3, 0.008, 9.215]);
  assertEquals(sum.mean, Math.round((8 + 2 * 8704) / 3) / 1000);
});

Deno.test("HistogramSum of nothing is empty", () => {
  assertEquals(sumOf().count, 0);
  assertEquals(sumOf(encoded(histogramOf([]))).count, 0);
});

for (
  const [what, text] of [
    ["is no Base64", "HIST*AAA"],
    ["is cut off in Base64", encoded(histogramOf([2])).slice(0, -3)],
    ["is too short for a head", "HISTFA=="],
    ["has no counts and no head", encoded(Buffer.alloc(10))],
    ["is of another kind", encoded(Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(50)]))],
    ["claims more compressed bytes than there are", encoded(histogramOf([2])).replace("HISTFAAAA", "HISTFAAAB")],
    ["ends before its counts", encoded(histogramOf([2, 2], { length: 3 }))],
    ["ends within a count", encoded(histogramOf([255, 255]))],
    ["has a negative length", encoded(histogramOf([2], { length: -1 }))],
    ["has endless zeros", encoded(histogramOf(Array(8).fill(255)))],
    ["has counts beyond its highest value", encoded(histogramOf([255, 63, 2], { highest: 1000 }))],
    ["has a count beyond all bounds", encoded(histogramOf([254, ...Array(8).fill(255)]))],
    ["has too many digits", encoded(histogramOf([2], { digits: 50 }))],
    ["has no lowest value", encoded(histogramOf([2], { lowest: 0 }))],
    ["has a highest value below the lowest", encoded(histogramOf([2], { lowest: 1000, highest: 10 }))],
    ["inflates to gigabytes", encoded(Buffer.alloc(100_000_000))],
  ] as const
) {
  Deno.test(`decodeHistogram() throws a MeariError when the histogram ${what}`, () => {
    assertThrows(() => decodeHistogram(text), MeariError, "the histogram of this interval is damaged");
  });
}

Deno.test("decodeHistogram() throws a MeariError when the encoding is another", () => {
  const first = encoded(histogramOf([2])).replace("HISTF", "HISTE");
  assertThrows(() => decodeHistogram(first), MeariError, "this histogram is not in the compressed V2 encoding");
});

Deno.test("decodeHistogram() keeps no more than the counts of a histogram, whatever it could hold", () => {
  // A single value behind millions of zeros, which a histogram of five digits has room for.
  const { indices, counts } = decodeHistogram(
    encoded(histogramOf([255, 255, 255, 1, 2], { digits: 5, highest: 2 ** 60 })),
  );
  assertEquals([indices.length, counts], [1, [1]]);
  assert(indices[0]! > 2_000_000);
});
