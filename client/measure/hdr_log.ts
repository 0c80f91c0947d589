/**
 * Logs of latencies in the text format of HdrHistogram (version 1.3 of the log, version 2 of the histograms), which its
 * own tools read and write in many languages.
 *
 * @module
 */

import { ByteBuffer, HistogramLogReader, HistogramLogWriter, type JsHistogram } from "hdr-histogram-js";
import zigZag from "hdr-histogram-js/dist/ZigZagEncoding.js";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { MeariError } from "../../lib/errors.ts";
import { LatencyRecorder } from "./latency.ts";

/** The latencies of a span of time. */
export interface HdrInterval {
  /** The tag of the log's line; lines of several tags may be mixed. */
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
 * import { LatencyRecorder } from "./latency.ts";
 * const recorder = new LatencyRecorder();
 * recorder.record(83_000);
 * let text = "";
 * const log = new HdrLogWriter((line) => text += line, { start: 1_700_000_000_000, comments: ["made by an example"] });
 * log.write({ tag: "tcp", start: 1_700_000_000_000, end: 1_700_000_001_000, latencies: recorder });
 * assertEquals([...readHdrLog(text, "example.hlog")].map(({ tag, latencies }) => [tag, latencies.count]), [["tcp", 1]]);
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
    const histogram = latencies.histogram as JsHistogram;
    histogram.tag = tag?.replace(/[\s,]/g, "_") ?? "";
    const seconds = (time: number) => (time - this.#log.baseTime) / 1000;
    this.#log.outputIntervalHistogram(histogram, seconds(start), seconds(end), 1e6);
  }
}

/**
 * Reads a log of latencies in nanoseconds, interval by interval.
 *
 * @param text The log.
 * @param file Its name, for errors.
 * @returns The intervals, in the order of the log.
 * @throws {MeariError} If a line is damaged, or if the text is no such log: names the file and the line.
 */
export function* readHdrLog(text: string, file: string): Generator<HdrInterval> {
  const complain = (line: number, what: string) => new MeariError(`${file}:${line}: ${what}`);
  let intervals = 0;
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#") || line.startsWith('"StartTimestamp"')) continue;
    const damage = findDamage(line);
    if (damage !== undefined) throw complain(index + 1, damage);
    intervals++;
  }
  if (intervals === 0) throw complain(1, "this is no HdrHistogram log, or one without any interval");

  const reader = new HistogramLogReader(text, 64);
  while (intervals-- > 0) {
    let histogram: JsHistogram, latencies: LatencyRecorder;
    try {
      histogram = reader.nextIntervalHistogram() as JsHistogram;
      latencies = LatencyRecorder.fromHistogram(histogram);
    } catch {
      // Counts or limits beyond all bounds.
      throw complain(reader.currentLineIndex, DAMAGED);
    }
    const tag = histogram.tag === NO_TAG ? {} : { tag: histogram.tag };
    yield { ...tag, start: histogram.startTimeStampMsec, end: histogram.endTimeStampMsec, latencies };
  }
}

const NO_TAG = "NO TAG";
const DAMAGED = "the histogram of this interval is damaged";
const NUMBER = String.raw`\d+(?:\.\d+)?`;
const INTERVAL = new RegExp(`^(?:Tag=[^, ]+, *)?${NUMBER}, *${NUMBER}, *${NUMBER}, *([A-Za-z0-9+/]+={0,2}) *$`);
const HEADER_BYTES = 40;
/** What a histogram of five significant digits and 64-bit values needs, and no more. */
const MOST_COUNTS = 8_000_000;

/** Says what is wrong with the line of an interval. The library takes much that is damaged, or goes on for ever. */
function findDamage(line: string): string | undefined {
  const encoded = INTERVAL.exec(line)?.[1];
  if (encoded === undefined) return "this is no line of an HdrHistogram log";
  const compressed = Buffer.from(encoded, "base64");
  if (encoded.length % 4 !== 0 || compressed.length < 8) return DAMAGED;
  // The second hexadecimal digit from the right is the size of a word.
  const isCookie = (cookie: number, base: number) => (cookie & ~0xf0) === base;
  if (!isCookie(compressed.readInt32BE(0), 0x1c849304)) return "this histogram is not in the compressed V2 encoding";
  let bytes: Buffer;
  try {
    bytes = inflateSync(compressed.subarray(8), { maxOutputLength: HEADER_BYTES + 9 * MOST_COUNTS });
  } catch {
    return DAMAGED;
  }
  if (bytes.length < HEADER_BYTES || !isCookie(bytes.readInt32BE(0), 0x1c849303)) return DAMAGED;
  const end = HEADER_BYTES + bytes.readInt32BE(4);
  if (end > bytes.length) return DAMAGED;
  const words = new ByteBuffer(bytes);
  words.position = HEADER_BYTES;
  let counts = 0;
  while (words.position < end) {
    // A negative word stands for that many counts of zero.
    counts += Math.max(1, -zigZag.default.decode(words));
  }
  return counts > MOST_COUNTS ? DAMAGED : undefined;
}
