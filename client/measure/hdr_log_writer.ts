/**
 * Writes logs of latencies in the text format of HdrHistogram (version 1.3 of the log, version 2 of the histograms), which
 * its own tools read in many languages.
 *
 * @module
 */

import { HistogramLogWriter } from "hdr-histogram-js";
import type { LatencyRecorder } from "./latency.ts";

/** The latencies of a span of time. */
export interface HdrInterval {
  /** The tag of its line in the log; lines of several tags may be mixed. */
  tag?: string;
  /** When it began, in milliseconds since 1970. */
  start: number;
  /** When it ended, in milliseconds since 1970. */
  end: number;
  /** The latencies. */
  latencies: LatencyRecorder;
}

/**
 * Writes a log of latencies, interval by interval. The values in it are nanoseconds; the column of each interval's
 * longest latency, which readers do not use, is milliseconds, as in the logs of HdrHistogram's own tools.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readHdrLog } from "./hdr_log_reader.ts";
 * import { LatencyRecorder } from "./latency.ts";
 * const recorder = new LatencyRecorder();
 * recorder.record(83_000);
 * let text = "";
 * const log = new HdrLogWriter((line) => text += line, { start: 1_700_000_000_000, comments: ["made by an example"] });
 * log.write({ tag: "tcp", start: 1_700_000_000_000, end: 1_700_000_001_000, latencies: recorder });
 * const intervals = await Array.fromAsync(readHdrLog([text], "example.hlog"));
 * assertEquals(intervals.map(({ tag, histogram }) => [tag, histogram.total]), [["tcp", 1]]);
 * ```
 */
export class HdrLogWriter {
  #log: HistogramLogWriter;

  /**
   * Begins a log.
   *
   * @param write Takes the text, whole lines at a time.
   * @param about When the log begins, in milliseconds since 1970, and what else to say at its head, a line each.
   */
  constructor(write: (text: string) => void, about: { start: number; comments?: readonly string[] }) {
    this.#log = new HistogramLogWriter(write);
    this.#log.baseTime = about.start;
    for (const comment of about.comments ?? []) this.#log.outputComment(`[${comment.replace(/[\r\n]+/g, " ")}]`);
    this.#log.outputComment("[Values are in nanoseconds, Interval_Max is in milliseconds: ratio 1000000.0]");
    this.#log.outputLogFormatVersion();
    const seconds = (about.start / 1000).toFixed(3);
    // Not outputStartTime(), which adds an empty line and the time zone of this machine.
    this.#log.outputComment(`[StartTime: ${seconds} (seconds since epoch), ${new Date(about.start).toISOString()}]`);
    this.#log.outputComment(`[BaseTime: ${seconds} (seconds since epoch)]`);
    this.#log.outputLegend();
  }

  /**
   * Writes the line of an interval.
   *
   * @param interval The interval, usually about a second long. Commas and white space, which the format does not allow in a
   * tag, become `_`.
   */
  write({ tag, start, end, latencies }: HdrInterval): void {
    const { histogram } = latencies;
    histogram.tag = tag?.replace(/[\s,]/g, "_") ?? "";
    const seconds = (time: number) => (time - this.#log.baseTime) / 1000;
    this.#log.outputIntervalHistogram(histogram, seconds(start), seconds(end), 1e6);
  }
}
