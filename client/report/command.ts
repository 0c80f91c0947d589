/**
 * The command line of `meari report`.
 *
 * @module
 */

import { type Command, commonOptions, optional, type Options, parseCommandLine } from "../../lib/cli/command_line.ts";
import { printLine, writeOutput } from "../../lib/cli/output.ts";
import { answerCommon } from "../../lib/cli/program.ts";
import { ExitCode, UsageError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { fileIdentity } from "../file_identity.ts";
import { replaceFile } from "../replace_file.ts";
import { renderReport } from "./page.ts";
import { mergeLogs } from "./report.ts";
import { alignColumns, summaryTable } from "./table.ts";

const options = {
  html: optional({
    group: "Output",
    value: "OUT",
    help: "write one self-contained page with charts to OUT, replacing it; - is stdout, without the table",
    parse: (text) => {
      if (text === "") throw new UsageError("the name of the page is empty");
      return text;
    },
  }),
  ...commonOptions,
} satisfies Options;

/** The command line of `meari report`. */
export const reportCommand: Command<typeof options> = {
  name: "meari report",
  summary: "Compares latencies: merges the HdrHistogram logs of several runs or machines.",
  usage: ["FILE… [--html OUT]"],
  options,
  notes: [["Files", [
    "HdrHistogram logs, as meari bench --hdr writes them. Values are taken as nanoseconds.",
    "Each file is a series by its name; lines with a tag are a series by the tag, over all files.",
  ]]],
  docs: "docs/report.md",
  examples: [
    ["meari report run.hlog", "print the latencies of a run"],
    ["meari report before.hlog after.hlog --html report.html", "compare two runs on a page"],
  ],
};

/**
 * Runs `meari report`.
 *
 * @param args What the user typed after `report`.
 * @returns The exit code.
 * @throws {UsageError} If the arguments are wrong, or the page would replace one of the logs.
 * @throws {MeariError} If a log cannot be read or is damaged, or the page cannot be written; then nothing is written.
 */
export async function runReport(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandLine(reportCommand, args);
  if (answerCommon(reportCommand, values)) return ExitCode.ok;
  if (operands.length === 0) throw new UsageError("name at least one log: meari report FILE…");
  const page = values.html;
  if (page !== undefined && page !== "-") await refuseOverwriting(operands, page);
  const series = await mergeLogs(operands);
  if (page === "-") {
    await writeOutput(new TextEncoder().encode(renderReport(series)));
    return ExitCode.ok;
  }
  if (page !== undefined) await replaceFile(page, renderReport(series));
  for (const line of alignColumns(summaryTable(series))) printLine(line);
  return ExitCode.ok;
}

async function refuseOverwriting(logs: readonly string[], page: string): Promise<void> {
  const identity = await fileIdentity(page);
  if (identity === undefined) return;
  for (const log of logs) {
    if (await fileIdentity(log) !== identity) continue;
    const [shown, name] = [page, log].map(escapeControls);
    const which = shown === name ? "one of the logs" : `the same file as the log ${name}`;
    throw new UsageError(`--html: ${shown} is ${which}; name another file for the page`);
  }
}
