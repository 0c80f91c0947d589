import { assert, assertEquals, assertRejects } from "@std/assert";
import { runReport } from "../../../client/report/command.ts";
import { MeariError, UsageError } from "../../../lib/errors.ts";
import { logOf } from "../../helpers/reports.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

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

for (
  const [what, name] of [
    ["the name of a log", "b.hlog"],
    ["a log by another spelling", "./folder/../b.hlog"],
    ["a symbolic link to a log", "soft"],
    ["a hard link to a log", "hard"],
  ] as const
) {
  Deno.test(`runReport() throws a UsageError and writes nothing when the page is ${what}`, async () => {
    using folder = new TempFolder();
    const logs = ["a.hlog", "b.hlog"].map((name) => folder.file(name));
    const log = logOf(0, { latencies: [1000] });
    for (const path of logs) Deno.writeTextFileSync(path, log);
    Deno.mkdirSync(folder.file("folder"));
    Deno.symlinkSync(logs[1]!, folder.file("soft"));
    Deno.linkSync(logs[1]!, folder.file("hard"));
    const names = () => [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
    const before = names();
    const page = folder.file(name);
    const complaint = name === "b.hlog" ? "is one of the logs" : `is the same file as the log ${logs[1]}`;
    await assertRejects(() => runReport([...logs, "--html", page]), UsageError, `--html: ${page} ${complaint}; name`);
    assertEquals(logs.map((path) => Deno.readTextFileSync(path)), [log, log]);
    assertEquals(names(), before);
  });
}

Deno.test("runReport() does not read the logs before it refuses the page", async () => {
  using folder = new TempFolder();
  const path = folder.file("damaged.hlog");
  Deno.writeTextFileSync(path, "no log");
  await assertRejects(() => runReport([path, "--html", path]), UsageError, "is one of the logs");
});
