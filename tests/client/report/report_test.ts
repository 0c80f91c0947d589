import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { replaceFile, runReport } from "../../../client/report/command.ts";
import { renderReport, type ReportSeries, summaryTable } from "../../../client/report/page.ts";
import { MeariError, UsageError } from "../../../lib/errors.ts";
import { chartsOf, logOf, recorderOf, START } from "../../helpers/reports.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

function seriesOf(label: string, ...latencies: number[]): ReportSeries {
  const interval = { start: START, end: START + 1000, count: latencies.length };
  return { label, latencies: recorderOf(...latencies), intervals: [interval] };
}

Deno.test("summaryTable() gives the count, the rate and the latencies of each series", () => {
  const samples = Array.from({ length: 999 }, (_, index) => (index + 1) * 1000);
  const table = summaryTable([seriesOf("a", ...samples), { ...seriesOf("b"), intervals: [] }]);
  assertEquals(table.slice(1), [
    ["a", "999", "999", "1us", "500us", "500us", "900us", "990us", "999us", "999us", "999us", "999us"],
    ["b", "0", "–", ...Array(9).fill("–")],
  ]);
  assertEquals(new Set(table.map((row) => row.length)).size, 1);
});

Deno.test("renderReport() draws what one works out by hand", () => {
  const series: ReportSeries = {
    label: "a",
    latencies: recorderOf(...Array(9).fill(1000), 1_000_000),
    intervals: [
      { start: START, end: START + 1000, count: 4 },
      // Half of it is in the second second and half in the third, which ends with it.
      { start: START + 1500, end: START + 2500, count: 6 },
    ],
  };
  const { labels, percentiles, distribution, throughput } = chartsOf(renderReport([series]));
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

Deno.test("renderReport() lets each line end where its series does", () => {
  const short = seriesOf("short", ...Array(10).fill(5000));
  const long = { ...seriesOf("long", ...Array(1000).fill(7000)), intervals: [{ start: 0, end: 3000, count: 1000 }] };
  const { percentiles, throughput } = chartsOf(renderReport([short, long]));
  const lastOf = (row: (number | null)[]) => percentiles[0]![row.findLastIndex((value) => value !== null)];
  assertEquals([lastOf(percentiles[1]!), lastOf(percentiles[2]!)], [1, 3]);
  assertEquals(throughput.slice(1), [[10, null, null], [333.33333, 333.33333, 333.33333]]);
});

Deno.test("renderReport() puts no more than 600 spans into the throughput, however long the load", () => {
  const intervals = Array.from({ length: 7200 }, (_, second) => ({ start: second * 1000, end: second * 1000 + 1000 }));
  const series = { ...seriesOf("a", 1000), intervals: intervals.map((interval) => ({ ...interval, count: 50 })) };
  const { throughput } = chartsOf(renderReport([series]));
  assertEquals(throughput[0]!.length, 600);
  assertEquals(new Set(throughput[1]), new Set([50]));
});

Deno.test("renderReport() makes a page that loads nothing", () => {
  const page = renderReport([seriesOf("a", 1000, 2000), seriesOf("b", 3000)]);
  for (
    const loads of [/\ssrc\s*=/i, /<link/i, /@import/i, /url\(/i, /<iframe/i, /<img/i, /\bfetch\(/, /XMLHttpRequest/]
  ) {
    assert(!loads.test(page), String(loads));
  }
  assertMatch(page, /Content-Security-Policy" content="default-src 'none'; /);
  assertStringIncludes(page, "uPlot=function");
  assertStringIncludes(page, "Copyright (c) 2022 Leon Sorokin");
});

Deno.test("renderReport() allows its own script and no other to run", async () => {
  const page = renderReport([seriesOf("a", 1000)]);
  const script = /<script>(.*)<\/script>/s.exec(page)![1]!;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script)));
  assertStringIncludes(page, `script-src 'sha256-${hash.toBase64()}'"`);
});

Deno.test("renderReport() escapes a label that would break out of the page", () => {
  const label = `</script><script>alert("1")</script><img src=x onerror='alert(2)'> & <!--`;
  const page = renderReport([seriesOf(label, 1000)]);
  assertEquals(page.match(/<script/g)?.length, 2);
  assertEquals(page.match(/<\/script/g)?.length, 2);
  assert(!page.includes("<img") && !page.includes("<!--"));
  assertEquals(chartsOf(page).labels, [label]);
});

Deno.test("renderReport() makes a page of series without a message or an interval", () => {
  const { percentiles, distribution, throughput } = chartsOf(renderReport([{ ...seriesOf("none"), intervals: [] }]));
  assertEquals([percentiles, distribution, throughput], [[[0], [null]], [[], []], [[], []]]);
});

Deno.test("runReport() writes nothing when a log is damaged or missing", async () => {
  using folder = new TempFolder();
  const [good, bad, page] = [folder.file("good.hlog"), folder.file("bad.hlog"), folder.file("report.html")];
  Deno.writeTextFileSync(good, logOf(0, { latencies: [1000] }));
  Deno.writeTextFileSync(bad, logOf(0, { latencies: [1000] }).slice(0, -8));
  await assertRejects(() => runReport([good, bad, "--html", page]), MeariError, `${bad}:6: `);
  await assertRejects(
    () => runReport([folder.file("none.hlog"), "--html", page]),
    MeariError,
    `cannot read ${folder.file("none.hlog")}: no such file or directory`,
  );
  assert(!exists(page));
});

Deno.test("runReport() throws a UsageError when there is no log, or no name for the page", async () => {
  await assertRejects(() => runReport([]), UsageError, "name at least one log");
  await assertRejects(() => runReport(["a.hlog", "--html", ""]), UsageError, "--html: the name of the page is empty");
});

Deno.test("replaceFile() throws a MeariError and leaves nothing behind when the folder is missing", async () => {
  using folder = new TempFolder();
  const path = folder.file("missing/report.html");
  await assertRejects(() => replaceFile(path, "text"), MeariError, `cannot write ${path}: no such file or directory`);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("replaceFile() keeps a symbolic link and the mode of the file", async () => {
  if (Deno.build.os === "windows") return;
  using folder = new TempFolder();
  const [file, link] = [folder.file("report.html"), folder.file("link.html")];
  Deno.writeTextFileSync(file, "old", { mode: 0o640 });
  Deno.symlinkSync(file, link);
  await replaceFile(link, "new");
  assert(Deno.lstatSync(link).isSymlink);
  assertEquals(Deno.readTextFileSync(file), "new");
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o640);
});
