import { assertEquals } from "@std/assert";
import { DENO } from "../helpers/programs.ts";
import { bounded } from "../helpers/bounded.ts";
import { ROOT } from "../helpers/meari.ts";
import { Running } from "../helpers/running.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

/** Runs `deno task test` on files with these tests; the outcome is its exit code and the last line of each stream. */
async function runSuite(files: Record<string, string>, ...options: string[]) {
  using folder = new TempFolder();
  for (const [name, code] of Object.entries(files)) Deno.writeTextFileSync(folder.file(name), code);
  const args = ["run", "--allow-all", "scripts/test.ts", folder.path, ...options];
  const { code, stdout, stderr } = await new Deno.Command(DENO, { args, cwd: ROOT }).output();
  const last = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim().split("\n").at(-1)!;
  return { code, last: last(stdout).replace(/ \(\d+s\)$/, ""), error: last(stderr) };
}

const GOOD = `Deno.test("good", () => {});`;

bounded("deno task test adds up what its files have passed, failed and ignored", async () => {
  const bad = `Deno.test("bad", () => { throw new Error("so"); }); Deno.test.ignore("not", () => {});`;
  const files = { "good_test.ts": GOOD, "bad_test.ts": bad, "no_tests.ts": bad };
  assertEquals(await runSuite(files).then(({ code, last }) => [code, last]), [
    1,
    "FAILED | 1 passed | 1 failed | 1 ignored",
  ]);
}, { seconds: 60 });

bounded("deno task test fails when a file does not even start, and passes options on", async () => {
  const { code, last } = await runSuite({ "good_test.ts": GOOD, "other_test.ts": "nonsense(;" }, "--filter=good");
  assertEquals([code, last], [1, "FAILED | 1 passed | 0 failed"]);
}, { seconds: 60 });

bounded("deno task test says in one line that there is no such file or folder", async () => {
  const { code, error } = await runSuite({ "good_test.ts": GOOD }, "tests/none");
  assertEquals([code, error], [2, "test: there is no file or folder tests/none"]);
}, { seconds: 60 });

bounded("deno task test ends the tests that it runs, and fails, when it is told to end", async () => {
  using folder = new TempFolder();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const waits = `Deno.test("waits", async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${listener.addr.port} });
    await conn.read(new Uint8Array(1));
  });`;
  Deno.writeTextFileSync(folder.file("waits_test.ts"), waits);
  await using suite = new Running([DENO, "run", "--allow-all", `${ROOT}/scripts/test.ts`, folder.path]);
  using conn = await listener.accept();
  suite.kill("SIGTERM");
  assertEquals(await conn.read(new Uint8Array(1)), null);
  assertEquals(await suite.exit(), 1);
}, { seconds: 60, ignore: Deno.build.os === "windows" });
