import { assert, assertEquals } from "@std/assert";
import { ROOT } from "./helpers/meari.ts";

/** The paths of all files below a folder. */
function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? filesBelow(path) : [path];
  });
}

Deno.test("CONTRIBUTING.md names files that are there", () => {
  const folders = ["lib", "server", "client", "tests", "scripts", "docs"].map((folder) => `${ROOT}/${folder}`);
  const files = [...folders.flatMap(filesBelow), ...["deno.json", "import_map.json"].map((name) => `${ROOT}/${name}`)];
  const named = Deno.readTextFileSync(`${ROOT}/CONTRIBUTING.md`).match(/(?<![\w./-])[\w./-]+\.(?:ts|json|lock|md)\b/g);
  assert(named !== null && named.length > 50);
  const missing = named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)));
  assertEquals(missing, []);
});
