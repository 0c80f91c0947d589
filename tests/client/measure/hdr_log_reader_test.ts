import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { MeariError } from "../../../lib/errors.ts";
import { HistogramSum } from "../../../client/measure/hdr_histogram.ts";
import { type LoggedInterval, readHdrLog } from "../../../client/measure/hdr_log_reader.ts";
import { latencySummary } from "../../../client/measure/summary.ts";
import { encoded, histogramOf } from "../../helpers/histograms.ts";
import { logOf, recorderOf, START } from "../../helpers/reports.ts";

/** Reads a log that comes in pieces. */
function read(...pieces: string[]): Promise<LoggedInterval[]> {
  return Array.fromAsync(readHdrLog(pieces, "run.hlog"));
}

function summaryOf({ histogram }: LoggedInterval) {
  const sum = new HistogramSum();
  sum.add(histogram);
  return latencySummary(sum.recorder());
}

Deno.test("readHdrLog() reads what HdrLogWriter wrote", async () => {
  const samples = fc.array(fc.integer({ min: 1, max: 3_600_000_000_000 }), { maxLength: 50 });
  const tag = fc.option(fc.stringMatching(/^[!-+\--~]{1,20}$/), { nil: undefined });
  const property = fc.asyncProperty(
    fc.array(fc.tuple(tag, samples), { minLength: 1, maxLength: 5 }),
    async (intervals) => {
      const about = (tag: string | undefined) => tag === undefined ? {} : { tag };
      const log = logOf(0, ...intervals.map(([tag, latencies]) => ({ ...about(tag), latencies })));
      const found = await read(log);
      assertEquals(found.length, intervals.length);
      found.forEach((interval, index) => {
        const [tag, latencies] = intervals[index]!;
        const { histogram: _, ...rest } = interval;
        const start = START + 1000 * index;
        assertEquals(rest, { line: 6 + index, ...about(tag), start, end: start + 1000 });
        const [summary, expected] = [summaryOf(interval), latencySummary(recorderOf(...latencies))];
        if (summary === null || expected === null) return assertEquals(summary, expected);
        for (const key of ["min", "mean", "p50", "p90", "p99", "p99_9", "max"] as const) {
          assertAlmostEquals(summary[key], expected[key], 0.001 + expected[key] / 1000, key);
        }
      });
    },
  );
  await fc.assert(property);
});

Deno.test("readHdrLog() reads what jHiccup wrote, whose times count from the start of the log", async () => {
  // From the tests of HdrHistogram's Java library, which are in the public domain. The log has no base time.
  const [interval, ...none] = await read(
    "#[StartTime: 1441812279.474 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]\n" +
      '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n' +
      "Tag=NOT-EMPTY,0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4n" +
      "rxg9v2lMaxhvMekILGZkKmcCAEf2CsI=\n",
  );
  assertEquals(none, []);
  assertEquals([interval!.tag, interval!.line, interval!.histogram.total], ["NOT-EMPTY", 3, 741]);
  assertAlmostEquals(interval!.start, 1_441_812_279_601, 0.01);
  assertAlmostEquals(interval!.end, 1_441_812_280_608, 0.01);
  const { mean, max } = summaryOf(interval!)!;
  // The maximum is what the line itself says; the mean is what the Java library has for it.
  assertEquals([Math.floor(mean * 1000), (max / 1000).toFixed(3)], [301_998, "2.769"]);
});

Deno.test("readHdrLog() finds the same intervals whatever pieces the log comes in, and whatever its line ends", async () => {
  const log = logOf(0, { latencies: [5000] }, { tag: "메아리", latencies: [7000, 8000] });
  const expected = await read(log);
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  const cuts = fc.array(fc.nat(log.length + 7), { maxLength: 8 });
  const property = fc.asyncProperty(lineEnd, cuts, fc.boolean(), async (end, cuts, ended) => {
    const text = log.replaceAll("\n", end).slice(0, ended ? undefined : -end.length);
    const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
    assertEquals(await read(...edges.slice(1).map((to, index) => text.slice(edges[index], to))), expected);
  });
  await fc.assert(property, { examples: [["\r\n", [7, 8, 9, 10], true]] });
});

Deno.test("readHdrLog() reads a log of absolute times, and one log behind another", async () => {
  const log = logOf(0, { latencies: [5000] });
  const absolute = log.replace(/#\[BaseTime.*\n/, "").replace("\n0.000,", "\n1700000000.000,");
  assertEquals((await read(absolute)).map(({ start }) => start), [START]);
  const later = log.replaceAll("1700000000.000", "1700000060.000");
  assertEquals((await read(log, later)).map(({ start }) => start), [START, START + 60_000]);
});

Deno.test("readHdrLog() gives an interval before it takes more of the log", async () => {
  let taken = 0;
  function* log() {
    for (const piece of [logOf(0, { latencies: [1000] }), logOf(1, { latencies: [2000] }).split("\n").at(-2)! + "\n"]) {
      taken++;
      yield piece;
    }
  }
  const seen: number[] = [];
  for await (const _ of readHdrLog(log(), "run.hlog")) seen.push(taken);
  assertEquals(seen, [1, 2]);
});

Deno.test("readHdrLog() does not wait for the end of a line that has none", async () => {
  let taken = 0;
  function* zeros() {
    for (; taken < 1000; taken++) yield "0".repeat(1_000_000);
  }
  await assertRejects(() => Array.fromAsync(readHdrLog(zeros(), "zeros")), MeariError, "zeros:1: this is no line of");
  assert(taken < 100, `${taken} MB`);
});

const good = logOf(0, { latencies: [1000, 2000, 3000] });
const histogram = good.trimEnd().split(",").at(-1)!;

/** A log of one interval, whose times are what is given. */
function timed(start: string, length: string, base = "1700000000.000"): string {
  return `#[BaseTime: ${base} (seconds since epoch)]\n${start},${length},0.003,${histogram}\n`;
}

for (
  const [what, text, complaint] of [
    ["is empty", "", "1: this is no HdrHistogram log"],
    ["is cut off in the head", good.slice(0, 100), "1: this is no HdrHistogram log"],
    ["is a file of another kind", "{\n  a: 1, b: 2\n}\n", "1: this is no line of"],
    ["is a table of another kind", "host,from,to,AAAA\n", "1: this is no line of"],
    ["has a foreign line", `${good}hello\n`, "7: this is no line of"],
    ["is cut off in a histogram", good.slice(0, -9), "6: the histogram of this interval is damaged"],
    ["is cut off within four characters", good.slice(0, -2), "6: the histogram of this interval is damaged"],
    [
      "has a damaged histogram",
      `0,1,1,${encoded(histogramOf([2], { length: 3 }))}`,
      "1: the histogram of this interval",
    ],
    ["has a word for a time", good.replace("\n0.000,", "\nsoon,"), "6: this is no line of"],
    ["has NaN for a start", timed("NaN", "1.000"), "2: this interval cannot begin at NaN: times are in seconds"],
    ["has a start of two points", timed("1.2.3", "1.000"), "2: this interval cannot begin at 1.2.3: "],
    ["starts beyond all numbers", timed("1e400", "1.000"), "2: this interval cannot begin at 1e400: "],
    [
      "starts in the year 11000",
      timed("285000000000.000", "1.000"),
      "2: this interval cannot begin at 285000000000.000: ",
    ],
    ["starts before 1970", timed("-1700000001.000", "1.000"), "2: this interval cannot begin at -1700000001.000: "],
    ["counts milliseconds", timed("1700000000000", "1000", "0"), "2: this interval cannot begin at 1700000000000: "],
    ["has NaN for a length", timed("0.000", "NaN"), "2: this interval cannot take NaN: times are in seconds"],
    ["has an endless interval", timed("0.000", "Infinity"), "2: this interval cannot take Infinity: "],
    ["has a negative length", timed("5.000", "-1.000"), "2: this interval cannot take -1.000: "],
    ["ends in the year 11000", timed("0.000", "285000000000"), "2: this interval cannot take 285000000000: "],
    ["has NaN for a base time", timed("0.000", "1.000", "NaN"), '1: this log cannot begin at "NaN": '],
    ["has no base time", "#[BaseTime: ]\n", '1: this log cannot begin at "": '],
    [
      "begins in the year 11000",
      timed("0.000", "1.000", "285000000000"),
      '1: this log cannot begin at "285000000000": ',
    ],
    ["forges a line of a terminal", timed("0", "1", "\x1b[2J"), '1: this log cannot begin at "\\x1b[2J": '],
    ["starts at NaN", "#[StartTime: NaN (seconds since epoch)]\n", '1: this log cannot begin at "NaN": '],
  ] as const
) {
  Deno.test(`readHdrLog() throws a MeariError that names the file and the line when the log ${what}`, async () => {
    const error = await assertRejects(() => read(text), MeariError, `run.hlog:${complaint}`);
    assert(!error.message.includes("\n"));
  });
}

Deno.test("readHdrLog() takes an interval without length, and one before the base time", async () => {
  assertEquals((await read(timed("0.000", "0.000"))).map(({ start, end }) => [start, end]), [[START, START]]);
  assertEquals((await read(timed("-1.000", "1.000"))).map(({ start, end }) => [start, end]), [[START - 1000, START]]);
});

Deno.test("readHdrLog() ends in intervals or a MeariError whatever happens to a log", async () => {
  const change = fc.tuple(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), fc.nat(3));
  const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
    let text = good;
    for (const [at, inserted, dropped] of changes) text = text.slice(0, at) + inserted + text.slice(at + dropped);
    try {
      for (const interval of await read(text)) assert((summaryOf(interval)?.max ?? 0) >= 0);
    } catch (error) {
      assert(error instanceof MeariError, String(error));
    }
  });
  await fc.assert(property);
});
