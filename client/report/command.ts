/**
 * `meari report`: merges the latency logs of several runs or machines into a table and a page.
 *
 * @module
 */

import { type Command, commonOptions, optional, type Options, parseCommandLine } from "../../lib/cli/command_line.ts";
import { describeCause, ExitCode, MeariError, UsageError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { readHdrLog } from "../measure/hdr_log.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { printLine, writeOutput } from "../../lib/cli/output.ts";
import { answerCommon } from "../../lib/cli/program.ts";
import { replaceFile } from "../replace_file.ts";
import { renderReport } from "./page.ts";
import type { ReportSeries } from "./series.ts";
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
 * @throws {UsageError} If the arguments are wrong.
 * @throws {MeariError} If a log cannot be read or is damaged, or the page cannot be written; then nothing is written.
 */
export async function runReport(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandLine(reportCommand, args);
  if (answerCommon(reportCommand, values)) return ExitCode.ok;
  if (operands.length === 0) throw new UsageError("name at least one log: meari report FILE…");
  const series = await readSeries(operands);
  if (values.html === "-") {
    await writeOutput(new TextEncoder().encode(renderReport(series)));
    return ExitCode.ok;
  }
  if (values.html !== undefined) await replaceFile(values.html, renderReport(series));
  for (const line of alignColumns(summaryTable(series))) printLine(line);
  return ExitCode.ok;
}

/** Reads logs into series: one for each tag, and one for what has no tag in each file. */
async function readSeries(files: readonly string[]): Promise<ReportSeries[]> {
  const series = new Map<string, ReportSeries>();
  for (const file of new Set(files)) {
    const name = escapeControls(file);
    const text = await Deno.readTextFile(file).catch((error) => {
      throw new MeariError(`cannot read ${name}: ${describeCause(error)}`, { cause: error });
    });
    for (const { tag, start, end, latencies } of readHdrLog(text, name)) {
      const key = JSON.stringify([tag ?? null, tag === undefined && file]);
      const found = series.get(key) ??
        { label: tag ?? file, latencies: new LatencyRecorder(), intervals: [] };
      series.set(key, found);
      found.latencies.add(latencies);
      found.intervals.push({ start, end, count: latencies.count });
    }
  }
  return [...series.values()];
}
