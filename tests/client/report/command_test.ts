import { assert, assertRejects } from "@std/assert";
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
