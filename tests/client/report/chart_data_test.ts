import { assert, assertEquals } from "@std/assert";
import { chartData } from "../../../client/report/chart_data.ts";
import type { ReportSeries } from "../../../client/report/series.ts";
import { recorderOf, seriesOf, START } from "../../helpers/reports.ts";

Deno.test("chartData() draws what one works out by hand", () => {
  const series: ReportSeries = {
    label: "a",
    latencies: recorderOf(...Array(9).fill(1000), 1_000_000),
    intervals: [
      { start: START, end: START + 1000, count: 4 },
      // Half of it is in the second second and half in the third, which ends with it.
      { start: START + 1500, end: START + 2500, count: 6 },
    ],
  };
  const { labels, percentiles, distribution, throughput } = chartData([series]);
  assertEquals(labels, ["a"]);
  // Nine tenths took 1 us, whose logarithm is 0; the line ends at 90 % (1 on this axis) with the longest, 1000 us.
  assertEquals(percentiles[0]!.length, percentiles[1]!.length);
  assertEquals([percentiles[0]![0], percentiles[1]![0]], [0, 0]);
  assertEquals([percentiles[0]!.at(-2), percentiles[1]!.at(-2)], [0.98, 0]);
  assertEquals([percentiles[0]!.at(-1), percentiles[1]!.at(-1)], [1, 3]);
  assertEquals(distribution[1]!.filter((share) => share !== 0), [90, 10]);
  assertEquals([distribution[1]![0], distribution[1]!.at(-1)], [0, 0]);
  assertEquals(throughput, [[0.5, 1.5, 2.25], [4, 3, 6]]);
});

Deno.test("chartData() lets each line end where its series does", () => {
  const short = seriesOf("short", ...Array(10).fill(5000));
  const long = { ...seriesOf("long", ...Array(1000).fill(7000)), intervals: [{ start: 0, end: 3000, count: 1000 }] };
  const { percentiles, throughput } = chartData([short, long]);
  const lastOf = (row: (number | null)[]) => percentiles[0]![row.findLastIndex((value) => value !== null)];
  assertEquals([lastOf(percentiles[1]!), lastOf(percentiles[2]!)], [1, 3]);
  assertEquals(throughput.slice(1), [[10, null, null], [333.33333, 333.33333, 333.33333]]);
});

Deno.test("chartData() puts no more than 600 spans into the throughput, however long the load", () => {
  const intervals = Array.from({ length: 7200 }, (_, second) => ({ start: second * 1000, end: second * 1000 + 1000 }));
  const series = { ...seriesOf("a", 1000), intervals: intervals.map((interval) => ({ ...interval, count: 50 })) };
  const { throughput } = chartData([series]);
  assertEquals(throughput[0]!.length, 600);
  assertEquals(new Set(throughput[1]), new Set([50]));
});

Deno.test("chartData() counts an interval without length in the span where it lies", () => {
  const instant = (time: number) => ({ start: START + time, end: START + time, count: 3 });
  const intervals = [{ start: START, end: START + 2000, count: 8 }, instant(0), instant(500), instant(2000)];
  assertEquals(chartData([{ ...seriesOf("a", 1000), intervals }]).throughput, [[0.5, 1.5], [10, 7]]);
  // Beside another series, one that is over at once has no rate.
  const charts = chartData([{ ...seriesOf("b", 1000), intervals: [instant(0)] }, {
    ...seriesOf("a", 1000),
    intervals,
  }]);
  assertEquals(charts.throughput, [[0.5, 1.5], [null, null], [10, 7]]);
});

Deno.test("chartData() takes intervals that lie thousands of years apart", () => {
  const intervals = [0, 253_402_300_700_000].map((start) => ({ start, end: start + 1000, count: 5 }));
  const { throughput } = chartData([{ ...seriesOf("a", 1000), intervals }]);
  assert(throughput[0]!.length <= 600);
  assert(throughput[1]!.every((rate) => rate !== null && rate >= 0));
});

Deno.test("chartData() makes charts of series without a message or an interval", () => {
  const { percentiles, distribution, throughput } = chartData([{ ...seriesOf("none"), intervals: [] }]);
  assertEquals([percentiles, distribution, throughput], [[[0], [null]], [[], []], [[], []]]);
});
