import { assertEquals, assertStringIncludes } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { meari } from "../helpers/meari.ts";
import { chartsOf, logOf, writeLogs } from "../helpers/reports.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

/** Runs `meari report` and gives what it wrote to stdout. */
async function report(args: string[]): Promise<string> {
  const { code, text, stderr } = await meari("meari", ["report", ...args]);
  assertEquals([code, stderr], [0, ""]);
  return text;
}

bounded("meari report makes a series of each file and of each tag, whatever files its lines are in", async () => {
  using folder = new TempFolder();
  const logs = writeLogs(
    folder,
    logOf(0, { latencies: [1000, 1000] }, { tag: "udp", latencies: [5000] }, { latencies: [1000] }),
    logOf(1, { latencies: [2000] }, { tag: "udp", latencies: [5000, 5000, 5000] }),
  );
  const page = await report([...logs, "--html=-"]);
  const charts = chartsOf(page);
  assertEquals(charts.labels, [logs[0], "udp", logs[1]]);
  assertEquals(charts.throughput.slice(1), [[2, 0, 1], [1, 3, null], [1, null, null]]);
  for (const label of charts.labels) assertStringIncludes(page, `</span>${label}</th>`);
});

bounded("meari report writes the page whole, in place of what was there, and prints the table", async () => {
  using folder = new TempFolder();
  const [log] = writeLogs(folder, logOf(0, { tag: "tcp", latencies: [1000, 2000] })) as [string];
  const page = folder.file("report.html");
  Deno.writeTextFileSync(page, "old");
  assertEquals((await report([log, "--html", page])).split("\n"), [
    "     messages  messages/s  min   mean  p50  p90  p99  p99.9  p99.99  p99.999  max",
    "tcp         2           2  1us  1.5us  1us  2us  2us    2us     2us      2us  2us",
    "",
  ]);
  assertEquals(chartsOf(Deno.readTextFileSync(page)).labels, ["tcp"]);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["0.hlog", "report.html"]);
});

bounded("meari report refuses to replace a log by the page", async () => {
  using folder = new TempFolder();
  const text = logOf(0, { latencies: [1000] });
  const [log] = writeLogs(folder, text) as [string];
  const { code, text: stdout, stderr } = await meari("meari", ["report", log, "--html", log]);
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, `meari report: --html: ${log} is one of the logs; name another file for the page`);
  assertEquals(Deno.readTextFileSync(log), text);
});

bounded("meari report says where a log tells of no possible time", async () => {
  using folder = new TempFolder();
  const [log] = writeLogs(folder, logOf(0, { latencies: [1000] }).replace("\n0.000,", "\n99999999999999.000,")) as [
    string,
  ];
  const { code, text, stderr } = await meari("meari", ["report", log, "--html", folder.file("report.html")]);
  const complaint =
    "this interval cannot begin at 99999999999999.000: times are in seconds, from 1970 to the year 9999";
  assertEquals([code, text, stderr], [1, "", `meari report: ${log}:6: ${complaint}\n`]);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["0.hlog"]);
});
