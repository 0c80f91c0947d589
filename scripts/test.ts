/**
 * `deno task test`: runs each file of tests in a process of its own, as many at once as there are processors. Tests count
 * the descriptors and the memory of their process, which is why `deno test --parallel`, with its threads, is not used.
 *
 * @module
 */

const ARGS = ["test", "--no-check", "--lock=tests/deno.lock", "--allow-all"];

/** The files of tests at or below a path. */
function testFiles(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  const names = [...Deno.readDirSync(path)].filter(({ name, isDirectory }) => isDirectory || name.endsWith("_test.ts"));
  return names.flatMap(({ name }) => testFiles(`${path}/${name}`));
}

/** Whether there is a file or a folder. */
function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

const paths: string[] = [];
const options: string[] = [];
for (const [i, arg] of Deno.args.entries()) {
  // What is no path may be the value of an option, as in `--filter NAME`.
  const isOption = arg.startsWith("-") || !exists(arg);
  if (isOption && !arg.startsWith("-") && !Deno.args[i - 1]?.startsWith("-")) {
    console.error(`test: there is no file or folder ${arg}`);
    Deno.exit(2);
  }
  (isOption ? options : paths).push(arg);
}
const files = [...new Set((paths.length > 0 ? paths : ["tests"]).flatMap(testFiles))].sort();
const start = performance.now();
const stop = new AbortController();
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => stop.abort());
const totals = { passed: 0, failed: 0, ignored: 0 };
const failures: string[] = [];

/** Runs one file after the other, while there are any. */
async function runFiles(): Promise<void> {
  for (let file = files.shift(); file !== undefined && !stop.signal.aborted; file = files.shift()) {
    const args = [...ARGS, ...options, file];
    // Ended with this script, as Ctrl+C at a terminal ends all of them.
    const command = new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" }, signal: stop.signal });
    const { success, stdout, stderr } = await command.output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const [closing = ""] = /^(ok|FAILED) \| .*\n*/m.exec(text) ?? [];
    for (const what of ["passed", "failed", "ignored"] as const) {
      totals[what] += Number(new RegExp(`(\\d+) ${what}`).exec(closing)?.[1] ?? 0);
    }
    if (!success) failures.push(file);
    // A file that fails before its tests run has no closing line.
    console.log(success ? text.replace(closing, "").trim() : text.trim());
  }
}

await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, runFiles));
for (const file of failures.sort()) console.log(`FAILED: ${file}`);
const failed = failures.length > 0 || stop.signal.aborted;
const { passed, ignored } = totals;
const counts = `${passed} passed | ${totals.failed} failed${ignored > 0 ? ` | ${ignored} ignored` : ""}`;
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`\n${failed ? "FAILED" : "ok"} | ${counts} (${seconds}s)`);
Deno.exit(failed ? 1 : 0);
