/**
 * `deno task benchmark`: the compiled server beside echo servers of other makes. What counts is the ratios: they hold
 * where the machine's speed does not.
 *
 * @module
 */

import { bold, setColorEnabled, yellow } from "@std/fmt/colors";
import { resolve } from "node:path";
import { checkWritable, replaceFile } from "../../client/replace_file.ts";
import { alignColumns } from "../../client/report/table.ts";
import { printLine } from "../../lib/cli/output.ts";
import { answerCommon, END_SIGNALS, runProgram } from "../../lib/cli/program.ts";
import { stopSignal } from "../run.ts";
import { benchmark } from "./command.ts";
import { benchmarkCommand, parseBenchmarkArgs } from "./options.ts";
import { notesOf, renderBenchmark } from "./page.ts";
import { BenchmarkProgress } from "./progress.ts";
import type { BenchmarkResult } from "./result.ts";
import { headline, tablesOf } from "./table.ts";

await runProgram("benchmark", async () => {
  const options = parseBenchmarkArgs(Deno.args);
  if (answerCommon(benchmarkCommand, options)) return 0;
  const page = options.html && resolve(options.html);
  if (page !== undefined) checkWritable(page);
  const signal = stopSignal(END_SIGNALS);
  Deno.chdir(new URL("../..", import.meta.url));
  using progress = new BenchmarkProgress();
  const programs = { server: ["dist/meari-server"], client: ["dist/meari"] };
  const result = await benchmark(options, programs, progress, signal);
  progress[Symbol.dispose]();
  if (page !== undefined) await replaceFile(page, renderBenchmark(result));
  if (options.json) printLine(JSON.stringify(result));
  else printTables(result);
  return 0;
});

function printTables(result: BenchmarkResult): void {
  setColorEnabled(!Deno.noColor && Deno.stdout.isTerminal());
  printLine(headline(result));
  for (const { title, text, rows, ratios } of tablesOf(result)) {
    const [head, ...lines] = alignColumns(rows);
    printLine(`\n${bold(title)}${text ? `: ${text}` : ""}`);
    printLine(head!);
    for (const line of lines) printLine(ratios ? line.replaceAll(/(?<= )0\.\d\d(?= |$)/g, yellow) : line);
  }
  printLine("");
  for (const note of notesOf(result)) printLine(note);
}
