/**
 * `deno task test`: runs each file of tests in a process of its own, as many at once as there are processors. Tests count
 * the descriptors and the memory of their process, which is why `deno test --parallel`, with its threads, is not used.
 *
 * @module
 */

import { join } from "node:path";

const ARGS = ["test", "--no-check", "--lock=tests/deno.lock", "--allow-all"];

/** The files of tests at or below a path. */
function testFiles(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  const names = [...Deno.readDirSync(path)].filter(({ name, isDirectory }) => isDirectory || name.endsWith("_test.ts"));
  return names.flatMap(({ name }) => testFiles(join(path, name)));
}

/** Whether an argument is a path; the others are options of `deno test`, and their values. */
function isPath(arg: string): boolean {
  if (arg.startsWith("-")) return false;
  try {
    Deno.statSync(arg);
    return true;
  } catch {
    // A value such as that of `--filter`.
    if (!/_test\.ts$/.test(arg)) return false;
    console.error(`test: there is no file ${arg}`);
    Deno.exit(2);
  }
}

const options = Deno.args.filter((arg) => !isPath(arg));
const paths = Deno.args.filter(isPath);
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
    const { signal } = stop;
    // Ended with this script, as Ctrl+C at a terminal ends all of them.
    const command = new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" }, signal });
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
const ignored = totals.ignored > 0 ? ` | ${totals.ignored} ignored` : "";
const seconds = Math.round((performance.now() - start) / 1000);
console.log(
  `\n${
    failures.length > 0 ? "FAILED" : "ok"
  } | ${totals.passed} passed | ${totals.failed} failed${ignored} (${seconds}s)`,
);
Deno.exit(failures.length > 0 || stop.signal.aborted ? 1 : 0);
