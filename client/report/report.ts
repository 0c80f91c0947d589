/**
 * Merges the latency logs of several runs or machines into the series of a report.
 *
 * @module
 */

import { describeCause, MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { fileIdentity } from "../file_identity.ts";
import { HistogramSum } from "../measure/hdr_histogram.ts";
import { readHdrLog } from "../measure/hdr_log_reader.ts";
import type { ReportInterval, ReportSeries } from "./series.ts";

/** More series than anyone compares; each takes some memory. */
const MOST_SERIES = 1000;

/**
 * Reads HdrHistogram logs whose values are nanoseconds. What has no tag in a file is a series by the name of the file; lines
 * with a tag are a series by the tag, over all files. A file that is named again, in whatever way, is read once.
 *
 * @param files The paths of the logs.
 * @param options A signal that ends the reading early.
 * @returns The series, in the order in which they first appear.
 * @throws {MeariError} If a log cannot be read or is damaged: names the file, and the line where there is one.
 */
export async function mergeLogs(
  files: readonly string[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<ReportSeries[]> {
  const series = new Map<string, { label: string; sum: HistogramSum; intervals: ReportInterval[] }>();
  const seen = new Set<string>();
  for (const file of files) {
    const identity = await fileIdentity(file) ?? file;
    if (seen.has(identity)) continue;
    seen.add(identity);
    const name = escapeControls(file);
    for await (const { line, tag, start, end, histogram } of readHdrLog(textOf(file, signal), name)) {
      const complain = (what: string) => new MeariError(`${name}:${line}: ${what}`);
      const key = tag === undefined ? `file ${file}` : `tag ${tag}`;
      const found = series.get(key) ?? { label: tag ?? file, sum: new HistogramSum(), intervals: [] };
      series.set(key, found);
      if (series.size > MOST_SERIES) throw complain(`a report compares no more than ${MOST_SERIES} series`);
      found.sum.add(histogram);
      if (found.sum.total > Number.MAX_SAFE_INTEGER) throw complain("there are too many messages to count them");
      found.intervals.push({ start, end, count: histogram.total });
    }
  }
  return Array.from(
    series.values(),
    ({ label, sum, intervals }) => ({ label, latencies: sum.recorder(), intervals }),
  );
}

async function* textOf(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  try {
    using file = await Deno.open(path);
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(256 * 1024);
    for (let length; (length = await file.read(buffer)) !== null;) {
      signal?.throwIfAborted();
      yield decoder.decode(buffer.subarray(0, length), { stream: true });
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new MeariError(`cannot read ${escapeControls(path)}: ${describeCause(error)}`, { cause: error });
  }
}
