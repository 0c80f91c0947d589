import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { HistogramLogReader, listTags } from "hdr-histogram-js";
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import { MeariError } from "../../../lib/errors.ts";
import { type HdrInterval, HdrLogWriter, readHdrLog } from "../../../client/measure/hdr_log.ts";
import { LatencyRecorder } from "../../../client/measure/latency.ts";
import { latencySummary } from "../../../client/measure/summary.ts";
import { PYTHON, run } from "../../helpers/programs.ts";

const START = 1_700_000_000_000;

function recorderOf(...latencies: number[]): LatencyRecorder {
  const recorder = new LatencyRecorder();
  for (const ns of latencies) recorder.record(ns);
  return recorder;
}

/** A log of intervals of one second each. */
function logOf(...intervals: { tag?: string; latencies: number[] }[]): string {
  let text = "";
  const log = new HdrLogWriter((written) => text += written, { start: START, comments: ["a test"] });
  intervals.forEach(({ latencies, ...tag }, index) => {
    const start = START + 1000 * index;
    log.write({ ...tag, start, end: start + 1000, latencies: recorderOf(...latencies) });
  });
  return text;
}

/** The line of an interval whose histogram is what is given, compressed. */
function lineOf(histogram: Buffer): string {
  const head = Buffer.alloc(8);
  const compressed = deflateSync(histogram);
  head.writeInt32BE(0x1c849314, 0);
  head.writeInt32BE(compressed.length, 4);
  return `0.000,1.000,0.001,${Buffer.concat([head, compressed]).toString("base64")}\n`;
}

/** A histogram of 1 to 2^40 with three digits, uncompressed, whose counts are what is given. */
function histogramOf(words: number[], { length = words.length, digits = 3 } = {}): Buffer {
  const head = Buffer.alloc(40);
  [0x1c849313, length, 0, digits].forEach((word, index) => head.writeInt32BE(word, 4 * index));
  head.writeBigInt64BE(1n, 16);
  head.writeBigInt64BE(1n << 40n, 24);
  head.writeDoubleBE(1, 32);
  return Buffer.concat([head, Buffer.from(words)]);
}

/** An interval without what a log cannot keep, to compare. */
function comparable({ latencies, ...rest }: HdrInterval) {
  return { ...rest, summary: latencies.count === 0 ? null : latencySummary(latencies)! };
}

Deno.test("HdrLogWriter writes the head that the tools of HdrHistogram know", () => {
  assertEquals(logOf().split("\n"), [
    "#[a test]",
    "#[Values are in nanoseconds, Interval_Max is in milliseconds: ratio 1000000.0]",
    "#[Histogram log format version 1.3]",
    "#[StartTime: 1700000000.000 (seconds since epoch), 2023-11-14T22:13:20.000Z]",
    "#[BaseTime: 1700000000.000 (seconds since epoch)]",
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    "",
  ]);
});

Deno.test("HdrLogWriter.write() writes times in seconds, the longest latency in milliseconds, and the tag", () => {
  const lines = logOf({ latencies: [83_000] }, { tag: "udp", latencies: [2_500_000] }).split("\n").slice(6);
  assert(lines[0]!.startsWith("0.000,1.000,0.083,HISTF"), lines[0]);
  assert(lines[1]!.startsWith("Tag=udp,1.000,1.000,2.500,HISTF"), lines[1]);
});

Deno.test("HdrLogWriter.write() keeps a tag or a comment from breaking the format", () => {
  let text = "";
  const log = new HdrLogWriter((written) => text += written, { start: START, comments: ["one\ntwo"] });
  log.write({ tag: "a, b\n#c", start: START, end: START + 1000, latencies: recorderOf(1) });
  assert(text.startsWith("#[one two]\n#[Values"));
  assertEquals([...readHdrLog(text, "log")].map(({ tag }) => tag), ["a__b_#c"]);
});

Deno.test("readHdrLog() reads what HdrLogWriter wrote", () => {
  const samples = fc.array(fc.integer({ min: 1, max: 3_600_000_000_000 }), { maxLength: 50 });
  const tag = fc.option(fc.stringMatching(/^[!-+\--~]{1,20}$/), { nil: undefined });
  fc.assert(fc.property(fc.array(fc.tuple(tag, samples), { minLength: 1, maxLength: 5 }), (intervals) => {
    const text = logOf(...intervals.map(([tag, latencies]) => ({ ...(tag === undefined ? {} : { tag }), latencies })));
    const read = [...readHdrLog(text, "log")].map(comparable);
    assertEquals(read.length, intervals.length);
    read.forEach(({ summary, ...rest }, index) => {
      const [tag, latencies] = intervals[index]!;
      const start = START + 1000 * index;
      assertEquals(rest, { ...(tag === undefined ? {} : { tag }), start, end: start + 1000 });
      const expected = latencySummary(recorderOf(...latencies));
      if (summary === null || expected === null) return assertEquals(summary, expected);
      for (const key of ["min", "mean", "p50", "p90", "p99", "p99_9", "max"] as const) {
        assertAlmostEquals(summary[key], expected[key], 0.001 + expected[key] / 1000, key);
      }
    });
  }));
});

Deno.test("HdrLogWriter writes what the reader of hdr-histogram-js reads", () => {
  const text = logOf({ tag: "tcp", latencies: [1000, 2000, 4000] }, { latencies: [7000] });
  assertEquals(listTags(text), ["NO TAG", "tcp"]);
  const reader = new HistogramLogReader(text, 64);
  const first = reader.nextIntervalHistogram()!;
  assertEquals([first.tag, first.totalCount, first.startTimeStampMsec, first.endTimeStampMsec], [
    "tcp",
    3,
    START,
    START + 1000,
  ]);
  assertEquals([25, 50, 100].map((p) => first.getValueAtPercentile(p)), [1000, 2000, 4001]);
  assertEquals(reader.nextIntervalHistogram()!.getValueAtPercentile(50), 7003);
  assertEquals(reader.nextIntervalHistogram(), null);
});

Deno.test("HdrLogWriter writes what a decoder of the V2 encoding written for this test reads", async () => {
  // From the description of the format alone: https://github.com/HdrHistogram/HdrHistogram, package-info.java.
  const program = `import base64, json, struct, sys, zlib
def words(data):
    while data:
        value = shift = 0
        for size in range(1, 10):
            byte = data[size - 1]
            value |= (byte if size == 9 else byte & 127) << shift
            shift += 7
            if size == 9 or byte < 128: break
        data = data[size:]
        yield (value >> 1) ^ -(value & 1)
result = []
for line in sys.stdin.read().splitlines():
    if line[0] in '#"': continue
    raw = base64.b64decode(line.split(",")[-1], validate=True)
    cookie, length = struct.unpack(">ii", raw[:8])
    data = zlib.decompress(raw[8:8 + length])
    inner, size, offset, digits, low, high, ratio = struct.unpack(">iiiiqqd", data[:40])
    counts = {}
    index = 0
    for word in words(data[40:40 + size]):
        if word > 0:
            bucket = max(index // 1024 - 1, 0)
            counts[(index - 1024 * bucket) << bucket] = word
        index += max(1, -word)
    result.append([hex(cookie), hex(inner), digits, low, high, sorted(counts.items())])
print(json.dumps(result))`;
  const text = logOf({ latencies: [1, 1, 2047, 83_000, 83_001, 2 ** 31] }, { latencies: [] });
  const { text: json, stderr } = await run(PYTHON, ["-c", program], text);
  assertEquals(stderr, "");
  const head = ["0x1c849314", "0x1c849313", 3, 1, 14_400_000_000_000];
  assertEquals(JSON.parse(json), [
    [...head, [[1, 2], [2047, 1], [82_944, 2], [2 ** 31, 1]]],
    [...head, []],
  ]);
});

Deno.test("readHdrLog() reads a log with Windows line ends, and one of absolute times", () => {
  const text = logOf({ latencies: [5000] });
  assertEquals([...readHdrLog(text.replaceAll("\n", "\r\n"), "log")].length, 1);
  const absolute = text.replace(/#\[BaseTime.*\n/, "").replace("\n0.000,", "\n1700000000.000,");
  assertEquals([...readHdrLog(absolute, "log")].map(({ start }) => start), [START]);
});

const good = logOf({ latencies: [1000, 2000, 3000] });
const lastLine = good.trimEnd().split("\n").at(-1)!;

for (
  const [what, text, complaint] of [
    ["is empty", "", "1: this is no HdrHistogram log"],
    ["is cut off in the head", good.slice(0, 100), "1: this is no HdrHistogram log"],
    ["is a file of another kind", "{\n  a: 1, b: 2\n}\n", "1: this is no line of"],
    ["has a foreign line", `${good}hello\n`, "8: this is no line of"],
    ["is cut off in a histogram", good.slice(0, -9), "7: the histogram of this interval is damaged"],
    ["is cut off within four characters", good.slice(0, -2), "7: "],
    ["has other times", good.replace("\n0.000,", "\nsoon,"), "7: this is no line of"],
    ["has another first version", good.replace("HISTF", "HISTE"), "7: "],
    ["has a flipped bit", good.replace(lastLine, lastLine.slice(0, 60) + "AAAA" + lastLine.slice(64)), "7: "],
    ["ends before its counts", lineOf(histogramOf([2, 2], { length: 3 })), "1: the histogram of this interval is"],
    ["has no counts and no head", lineOf(Buffer.alloc(10)), "1: the histogram of this interval is"],
    ["has endless zeros", lineOf(histogramOf(Array(8).fill(255))), "1: the histogram of this interval is"],
    ["has counts beyond all bounds", lineOf(histogramOf([254, ...Array(8).fill(255)])), "1: the histogram of this"],
    ["has too many digits", lineOf(histogramOf([2], { digits: 50 })), "1: the histogram of this interval is"],
    ["inflates to gigabytes", lineOf(Buffer.alloc(100_000_000)), "1: the histogram of this interval is"],
  ] as const
) {
  Deno.test(`readHdrLog() throws a MeariError that names the file and the line when the log ${what}`, () => {
    const error = assertThrows(() => [...readHdrLog(text, "run.hlog")], MeariError, `run.hlog:${complaint}`);
    assert(!error.message.includes("\n"));
  });
}

Deno.test("readHdrLog() ends in intervals or a MeariError whatever happens to a log", () => {
  const change = fc.tuple(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), fc.nat(3));
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    let text = good;
    for (const [at, inserted, dropped] of changes) text = text.slice(0, at) + inserted + text.slice(at + dropped);
    try {
      for (const { latencies } of readHdrLog(text, "log")) assert(latencies.count >= 0);
    } catch (error) {
      assert(error instanceof MeariError, String(error));
    }
  }));
});
