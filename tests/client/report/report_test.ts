import { assertEquals, assertRejects } from "@std/assert";
import { mergeLogs } from "../../../client/report/report.ts";
import { MeariError } from "../../../lib/errors.ts";
import { bounded } from "../../helpers/bounded.ts";
import { encoded, histogramOf } from "../../helpers/histograms.ts";
import { logOf, START, writeLogs } from "../../helpers/reports.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

Deno.test("mergeLogs() makes a series of each file and of each tag, whatever files its lines are in", async () => {
  using folder = new TempFolder();
  const logs = writeLogs(
    folder,
    logOf(0, { latencies: [1000, 1000] }, { tag: "udp", latencies: [5000] }, { latencies: [1500] }),
    logOf(1, { latencies: [2000] }, { tag: "udp", latencies: [5000, 6000, 7000] }),
  );
  const series = await mergeLogs(logs);
  const interval = (second: number, count: number) => ({
    start: START + 1000 * second,
    end: START + 1000 * second + 1000,
    count,
  });
  assertEquals(
    series.map(({ label, latencies, intervals }) => [label, latencies.count, latencies.max, intervals]),
    [
      [logs[0], 3, 1.5, [interval(0, 2), interval(2, 1)]],
      ["udp", 4, 7.003, [interval(1, 1), interval(2, 3)]],
      [logs[1], 1, 2, [interval(1, 1)]],
    ],
  );
});

Deno.test("mergeLogs() takes a tag and a file of the same name for two series", async () => {
  using folder = new TempFolder();
  const path = folder.file("udp");
  Deno.writeTextFileSync(path, logOf(0, { latencies: [1000] }, { tag: path, latencies: [2000] }));
  assertEquals((await mergeLogs([path])).map(({ label, latencies }) => [label, latencies.max]), [[path, 1], [path, 2]]);
});

Deno.test("mergeLogs() reads a file once, however often and by whatever names it is given", async () => {
  using folder = new TempFolder();
  const [log] = writeLogs(folder, logOf(0, { tag: "tcp", latencies: [1000] })) as [string];
  Deno.symlinkSync(log, folder.file("link"));
  const series = await mergeLogs([log, log, folder.file("./0.hlog"), folder.file("link")]);
  assertEquals(series.map(({ label, latencies }) => [label, latencies.count]), [["tcp", 1]]);
});

bounded("mergeLogs() takes no longer for a log whose histograms could hold millions of counts", async () => {
  using folder = new TempFolder();
  // Two latencies of an hour with five digits: to lay out each of these histograms alone takes milliseconds and megabytes.
  const histogram = encoded(histogramOf([255, 255, 255, 1, 4], { digits: 5, highest: 2 ** 60 }));
  const log = Array.from({ length: 100_000 }, (_, second) => `${second}.000,1.000,1.000,${histogram}\n`);
  const series = await mergeLogs(writeLogs(folder, log.join("")));
  assertEquals(series.map(({ latencies, intervals }) => [latencies.count, intervals.length]), [[200_000, 100_000]]);
  assertEquals(series[0]!.intervals.at(-1), { start: 99_999_000, end: 100_000_000, count: 2 });
});

Deno.test("mergeLogs() throws a MeariError that names the file and the line when there are too many series", async () => {
  using folder = new TempFolder();
  const histogram = encoded(histogramOf([2]));
  const log = (tags: number) => Array.from({ length: tags }, (_, tag) => `Tag=${tag},0,1,1,${histogram}\n`).join("");
  const [few, many] = writeLogs(folder, log(1000), log(1001)) as [string, string];
  assertEquals((await mergeLogs([few])).length, 1000);
  await assertRejects(() => mergeLogs([many]), MeariError, `${many}:1001: a report compares no more than 1000 series`);
});

Deno.test("mergeLogs() throws a MeariError that names the file and the line when there are too many messages", async () => {
  using folder = new TempFolder();
  // 2^52 messages a line.
  const line = `0,1,1,${encoded(histogramOf([...Array(7).fill(0x80), 0x10]))}\n`;
  const [log] = writeLogs(folder, line.repeat(3)) as [string];
  await assertRejects(() => mergeLogs([log]), MeariError, `${log}:2: there are too many messages to count them`);
});

Deno.test("mergeLogs() escapes the name of a file in its errors", async () => {
  using folder = new TempFolder();
  const path = folder.file("\x1b[2J");
  await assertRejects(() => mergeLogs([path]), MeariError, `cannot read ${folder.path}/\\x1b[2J: no such file`);
  Deno.writeTextFileSync(path, "no log");
  await assertRejects(() => mergeLogs([path]), MeariError, `${folder.path}/\\x1b[2J:1: this is no line of`);
  await assertRejects(() => mergeLogs([folder.path]), MeariError, `cannot read ${folder.path}: it is a directory`);
});

Deno.test("mergeLogs() ends early when its signal says so", async () => {
  using folder = new TempFolder();
  const logs = writeLogs(folder, logOf(0, { latencies: [1000] }));
  const reason = new Error("enough");
  await assertRejects(() => mergeLogs(logs, { signal: AbortSignal.abort(reason) }), Error, "enough");
});
