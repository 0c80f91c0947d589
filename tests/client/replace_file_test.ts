import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkWritable, replaceFile } from "../../client/replace_file.ts";
import { MeariError } from "../../lib/errors.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

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

Deno.test("checkWritable() leaves what a file holds, and throws a MeariError when it cannot be written", () => {
  using folder = new TempFolder();
  const [file, missing] = [folder.file("report.html"), folder.file("missing/report.html")];
  Deno.writeTextFileSync(file, "old");
  checkWritable(file);
  assertEquals(Deno.readTextFileSync(file), "old");
  assertThrows(() => checkWritable(missing), MeariError, `cannot write ${missing}: no such file or directory`);
});
