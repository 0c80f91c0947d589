import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fileIdentity } from "../../client/file_identity.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

Deno.test("fileIdentity() is the same for all names of a file, and for no other file", async () => {
  using folder = new TempFolder();
  const [file, other] = [folder.file("a"), folder.file("b")];
  for (const path of [file, other]) Deno.writeTextFileSync(path, "the same");
  Deno.linkSync(file, folder.file("hard"));
  Deno.symlinkSync(file, folder.file("soft"));
  Deno.symlinkSync(folder.path, folder.file("folder"));
  const identity = await fileIdentity(file);
  assert(identity !== undefined);
  for (const name of ["./a", "hard", "soft", "folder/folder/a"]) {
    assertEquals(await fileIdentity(folder.file(name)), identity, name);
  }
  assertNotEquals(await fileIdentity(other), identity);
});

Deno.test("fileIdentity() is undefined when there is no file", async () => {
  using folder = new TempFolder();
  Deno.symlinkSync(folder.file("missing"), folder.file("dangling"));
  for (const name of ["missing", "dangling"]) assertEquals(await fileIdentity(folder.file(name)), undefined);
});
