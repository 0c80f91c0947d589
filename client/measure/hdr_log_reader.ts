/**
 * Reads logs of latencies in the text format of HdrHistogram (version 1.3 of the log, version 2 of the histograms).
 *
 * @module
 */

import { MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { decodeHistogram, type LoggedHistogram } from "./hdr_histogram.ts";

/** An interval of a log. */
export interface LoggedInterval {
  /** The number of its line in the log, from 1. */
  line: number;
  /** Its tag; lines of several tags may be mixed. */
  tag?: string;
  /** When it began, in milliseconds since 1970. */
  start: number;
  /** When it ended, in milliseconds since 1970. */
  end: number;
  /** The latencies, in nanoseconds. */
  histogram: LoggedHistogram;
}

/** The seconds from 1970 to the end of the year 9999: a time written in milliseconds is beyond. */
const END_OF_TIME = 253_402_300_800;
const TIMES = "times are in seconds, from 1970 to the year 9999";

/** What lies this long before the start of its log, in seconds, is no absolute time but one since that start. */
const YEAR = 365 * 24 * 3600;

/** More than the line of any histogram that was ever recorded, in characters. */
const LONGEST_LINE = 16 * 1024 * 1024;

const NUMBER = String.raw`([+-]?(?:NaN|nan|Infinity|inf|\d[\d.eE+-]{0,30}))`;
const INTERVAL = new RegExp(`^(?:Tag=([^, ]+), *)?${NUMBER}, *${NUMBER}, *${NUMBER}, *([A-Za-z0-9+/]+={0,2}) *$`);
const HEAD = /^#\[(StartTime|BaseTime): *([^ \]]{0,40})/;

/**
 * Reads a log interval by interval, as its text comes.
 *
 * @param text The log, in pieces of any size.
 * @param file Its name, for errors; free of control characters.
 * @returns The intervals, in the order of the log.
 * @throws {MeariError} If a line is damaged or tells of no possible time, or if the text is no such log: names the file
 * and the line.
 */
export async function* readHdrLog(
  text: AsyncIterable<string> | Iterable<string>,
  file: string,
): AsyncGenerator<LoggedInterval> {
  const head = new LogHead();
  let line = 0, found = false;
  for await (const content of linesOf(text)) {
    line++;
    let interval: Omit<LoggedInterval, "line"> | undefined;
    try {
      interval = readLine(content, head);
    } catch (error) {
      if (!(error instanceof MeariError)) throw error;
      throw new MeariError(`${file}:${line}: ${error.message}`, { cause: error });
    }
    if (interval === undefined) continue;
    found = true;
    yield { line, ...interval };
  }
  if (!found) throw new MeariError(`${file}:1: this is no HdrHistogram log, or one without any interval`);
}

/** Splits text into lines. The end of one that is far too long to be any is left out. */
async function* linesOf(text: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of text) {
    // A carriage return at the end of a piece may be half of a line end.
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > LONGEST_LINE) break;
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}

/** Reads a line; `undefined` where it is none of an interval. */
function readLine(line: string, head: LogHead): Omit<LoggedInterval, "line"> | undefined {
  if (line.startsWith("#")) head.read(line);
  if (line.trim() === "" || line.startsWith("#") || line.startsWith('"StartTimestamp"')) return undefined;
  const fields = line.length > LONGEST_LINE ? null : INTERVAL.exec(line);
  if (fields === null) throw new MeariError("this is no line of an HdrHistogram log");
  const [, tag, start, length, , histogram] = fields;
  return {
    ...(tag === undefined ? {} : { tag }),
    ...head.interval(start!, length!),
    histogram: decodeHistogram(histogram!),
  };
}

/** What the comments of a log tell of its times, in seconds since 1970. */
class LogHead {
  #startTime: number | undefined;
  #baseTime: number | undefined;

  /** Takes a comment. */
  read(line: string): void {
    const [, name, text] = HEAD.exec(line) ?? [];
    if (text === undefined) return;
    if (text === "" || !isTime(Number(text))) {
      throw new MeariError(`this log cannot begin at "${escapeControls(text)}": ${TIMES}`);
    }
    if (name === "StartTime") this.#startTime = Number(text);
    else this.#baseTime = Number(text);
  }

  /** Reads the times of an interval; they come out in milliseconds since 1970. */
  interval(start: string, length: string): { start: number; end: number } {
    const from = Number(start);
    // Where the log does not say what its times count from, the first of them tells, as for the tools of HdrHistogram.
    this.#baseTime ??= this.#startTime !== undefined && from < this.#startTime - YEAR ? this.#startTime : 0;
    const begin = this.#baseTime + from, end = begin + Number(length);
    if (!isTime(begin)) throw new MeariError(`this interval cannot begin at ${start}: ${TIMES}`);
    if (!isTime(end) || end < begin) throw new MeariError(`this interval cannot take ${length}: ${TIMES}`);
    return { start: begin * 1000, end: end * 1000 };
  }
}

function isTime(seconds: number): boolean {
  return seconds >= 0 && seconds < END_OF_TIME;
}
