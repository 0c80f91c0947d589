import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LatencyRecorder, LONGEST_LATENCY } from "../../../client/measure/latency.ts";
import { latencySummary, rttSummary } from "../../../client/measure/summary.ts";
import { PYTHON, run } from "../../helpers/programs.ts";
import { recorderOf } from "../../helpers/reports.ts";

/** Latencies from 100 ns to an hour, evenly spread over the orders of magnitude, in nanoseconds. */
const latencies = fc.array(
  fc.double({ min: Math.log(100), max: Math.log(3600e9), noNaN: true }).map((log) => Math.round(Math.exp(log))),
  { minLength: 1, maxLength: 300 },
);

Deno.test("LatencyRecorder.stddev is 0 when there is one sample", () => {
  assertEquals(rttSummary(recorderOf(1234))?.stddev, 0);
});

Deno.test("LatencyRecorder.mean, .stddev and .percentile() agree with Python's statistics", async () => {
  const samples = Array.from(
    { length: 5000 },
    (_, index) => Math.round(80_000 + 1e9 * Math.abs(Math.sin(index)) ** 40),
  );
  const program = `import json, statistics, sys
samples = json.load(sys.stdin)
cuts = statistics.quantiles(samples, n=1000, method="inclusive")
print(json.dumps([statistics.fmean(samples), statistics.stdev(samples), cuts[499], cuts[899], cuts[989], cuts[998]]))`;
  const { text, stderr } = await run(PYTHON, ["-c", program], JSON.stringify(samples));
  assertEquals(stderr, "");
  const [mean, stddev, ...percentiles] = (JSON.parse(text) as number[]).map((ns) => ns / 1000);
  const recorder = recorderOf(...samples);
  assertAlmostEquals(recorder.mean, mean!, 0.001);
  assertAlmostEquals(recorder.stddev, stddev!, 0.001);
  [50, 90, 99, 99.9].forEach((p, index) => {
    // Python interpolates between two ranks, which are a few parts in a thousand apart here.
    assertAlmostEquals(recorder.percentile(p), percentiles[index]!, percentiles[index]! / 100, `p${p}`);
  });
});

Deno.test("LatencyRecorder.stddev stays exact when the latencies are long and hardly differ", () => {
  const recorder = new LatencyRecorder();
  for (let index = 0; index < 100_000; index++) recorder.record(3600e9 + (index % 2) * 2000);
  assertEquals(recorder.stddev, 1);
  assertEquals(recorder.mean, 3600e6 + 1);
});

Deno.test("LatencyRecorder.percentile() is the nearest rank, at most a thousandth too high, whatever was recorded", () => {
  fc.assert(fc.property(latencies, fc.double({ min: 0, max: 100, noNaN: true }), (samples, p) => {
    const sorted = [...samples].sort((a, b) => a - b);
    const got = recorderOf(...samples).percentile(p) * 1000;
    // The rank is computed in floating point: right at the border of two, either will do.
    const around = [p - 1e-9, p, p + 1e-9].map((q) => sorted[Math.max(Math.ceil(q / 100 * sorted.length), 1) - 1]!);
    assert(around.some((exact) => exact <= got + 0.5 && got <= exact * 1.001 + 0.5), `p${p}: ${got} for ${around}`);
  }));
});

Deno.test("LatencyRecorder.record() keeps the shortest and the longest exactly", () => {
  fc.assert(fc.property(latencies, (samples) => {
    const recorder = recorderOf(...samples);
    assertEquals([recorder.min, recorder.max], [Math.min(...samples) / 1000, Math.max(...samples) / 1000]);
    assertEquals([recorder.percentile(0), recorder.percentile(100)], [recorder.min, recorder.max]);
    assertEquals(recorder.count, samples.length);
  }));
});

Deno.test("LatencyRecorder.record() takes 0 and what is longer than the histogram reaches", () => {
  const recorder = recorderOf(0, 3 * LONGEST_LATENCY);
  assertEquals([recorder.min, recorder.max], [0, 3 * LONGEST_LATENCY / 1000]);
  assertEquals(recorder.percentile(50), 0);
});

Deno.test("LatencyRecorder.record() throws a RangeError when the latency is negative or no number", () => {
  const recorder = new LatencyRecorder();
  assertThrows(() => recorder.record(-1), RangeError, "cannot be -1 ns");
  assertThrows(() => recorder.record(NaN), RangeError, "cannot be NaN ns");
  assertEquals(recorder.count, 0);
});

Deno.test("LatencyRecorder.record() takes ten million samples in constant memory", () => {
  const recorder = new LatencyRecorder();
  const encoded = () => recorder.encode().counts.byteLength;
  const { histogram } = recorder;
  const footprint = histogram.estimatedFootprintInBytes;
  recorder.record(3600e9);
  const before = encoded();
  // A fixed sequence that visits 1 ns to 2^31 ns evenly (a linear congruential generator).
  let ns = 1;
  for (let index = 0; index < 10_000_000; index++) {
    ns = (ns * 48271) % 2147483647;
    recorder.record(ns);
  }
  assertEquals(recorder.count, 10_000_001);
  assertEquals(encoded(), before);
  assertEquals(histogram.estimatedFootprintInBytes, footprint);
  assert(footprint < 400_000);
  assertAlmostEquals(recorder.percentile(50), 2 ** 30 / 1000, 2 ** 30 / 1000 / 500);
});

Deno.test("LatencyRecorder.recordRange() counts each latency as one in the middle of the range", () => {
  const recorder = recorderOf(1000);
  recorder.recordRange(2000, 2001, 3);
  const whole = recorderOf(1000, 2001, 2001, 2001);
  assertEquals(rttSummary(recorder), rttSummary(whole));
  assertEquals([recorder.count, recorder.percentile(50)], [4, 2.001]);
});

Deno.test("LatencyRecorder.recordRange() knows the shortest and the longest by the ends of the ranges", () => {
  const recorder = new LatencyRecorder();
  recorder.recordRange(4096, 8191, 1);
  recorder.recordRange(LONGEST_LATENCY, 2 * LONGEST_LATENCY, 2);
  assertEquals([recorder.min, recorder.max], [4.096, 2 * LONGEST_LATENCY / 1000]);
});

Deno.test("LatencyRecorder.add() gives what one recorder of all samples gives", () => {
  fc.assert(fc.property(latencies, latencies, (some, others) => {
    const sum = recorderOf(...some);
    const other = recorderOf(...others);
    sum.add(other);
    const whole = recorderOf(...some, ...others);
    const [{ mean, stddev, ...exact }, expected] = [rttSummary(sum)!, rttSummary(whole)!];
    assertEquals({ ...exact, mean: 0, stddev: 0 }, { ...expected, mean: 0, stddev: 0 });
    assertAlmostEquals(mean, expected.mean, 0.001 + expected.mean * 1e-12);
    assertAlmostEquals(stddev, expected.stddev, 0.001 + expected.stddev * 1e-9);
    assertEquals(sum.count, whole.count);
    assertEquals(other.count, others.length);
  }));
});

Deno.test("LatencyRecorder.add() changes nothing when the other is empty", () => {
  const recorder = recorderOf(5000);
  recorder.add(new LatencyRecorder());
  assertEquals(rttSummary(recorder), rttSummary(recorderOf(5000)));
  const empty = new LatencyRecorder();
  empty.add(recorder);
  assertEquals(rttSummary(empty), rttSummary(recorder));
});

Deno.test("LatencyRecorder.decode() restores what encode() gave when it went to another thread", () => {
  fc.assert(fc.property(latencies, fc.nat(1e9), (samples, further) => {
    const recorder = recorderOf(...samples);
    const encoded = recorder.encode();
    const received = structuredClone(encoded, { transfer: [encoded.counts.buffer] });
    assertEquals(encoded.counts.byteLength, 0);
    const restored = LatencyRecorder.decode(received);
    assertEquals(latencySummary(restored), latencySummary(recorder));
    restored.record(further);
    recorder.record(further);
    assertEquals(rttSummary(restored), rttSummary(recorder));
    assertEquals(restored.count, samples.length + 1);
  }));
});

Deno.test("LatencyRecorder.decode() restores an empty recorder", () => {
  assertEquals(LatencyRecorder.decode(new LatencyRecorder().encode()).count, 0);
});

Deno.test("LatencyRecorder.reset() forgets everything", () => {
  const recorder = recorderOf(1000, 2000);
  recorder.reset();
  assertEquals(recorder.count, 0);
  recorder.record(7000);
  assertEquals(rttSummary(recorder), rttSummary(recorderOf(7000)));
});
