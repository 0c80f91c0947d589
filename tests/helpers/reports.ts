import type { ReportCharts } from "../../client/report/chart_data.ts";
import type { ReportSeries } from "../../client/report/series.ts";
import { HdrLogWriter } from "../../client/measure/hdr_log_writer.ts";
import { LatencyRecorder } from "../../client/measure/latency.ts";
import type { TempFolder } from "./temp_folder.ts";

/** When the logs begin, in milliseconds since 1970. */
export const START = 1_700_000_000_000;

/** A recorder that holds latencies in nanoseconds. */
export function recorderOf(...latencies: number[]): LatencyRecorder {
  const recorder = new LatencyRecorder();
  for (const ns of latencies) recorder.record(ns);
  return recorder;
}

/** A log of intervals of one second each, from so many seconds after the start. */
export function logOf(from: number, ...intervals: { tag?: string; latencies: number[] }[]): string {
  let text = "";
  const log = new HdrLogWriter((written) => text += written, { start: START });
  intervals.forEach(({ latencies, ...tag }, index) => {
    const start = START + 1000 * (from + index);
    log.write({ ...tag, start, end: start + 1000, latencies: recorderOf(...latencies) });
  });
  return text;
}

/** A series of latencies in nanoseconds that came back within a second. */
export function seriesOf(label: string, ...latencies: number[]): ReportSeries {
  const interval = { start: START, end: START + 1000, count: latencies.length };
  return { label, latencies: recorderOf(...latencies), intervals: [interval] };
}

/** What a page draws. */
export function chartsOf(page: string): ReportCharts {
  return JSON.parse(/<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(page)![1]!);
}

/** Writes logs into a folder and gives their paths. */
export function writeLogs(folder: TempFolder, ...logs: string[]): string[] {
  return logs.map((text, index) => {
    const path = folder.file(`${index}.hlog`);
    Deno.writeTextFileSync(path, text);
    return path;
  });
}
