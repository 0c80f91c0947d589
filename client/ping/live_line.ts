/**
 * The line of `meari ping --live`: the last round-trip time, the latest ones as a sparkline, and the counts.
 *
 * @module
 */

import { StatusLine, type StatusLineOptions } from "../../lib/cli/status_line.ts";
import { sparkline } from "../measure/pictures.ts";
import type { Sample } from "./sample.ts";
import type { PingSummary } from "./tally.ts";
import { answeredText, interimLine, lossText, milliseconds } from "./view.ts";

/** How many round-trip times are shown at the most. */
const SHOWN_TIMES = 60;

/**
 * Writes how a session stands in a line of some width. Where they do not fit, the times in all are left out, then the
 * count of answers, and last the answer at hand; the sparkline has the room that is left.
 *
 * @param sample The last answer, where there was one.
 * @param times The latest round-trip times, in microseconds.
 * @param summary What was measured so far.
 * @param columns How many columns it may take.
 * @returns The line.
 */
export function liveText(
  sample: Sample | undefined,
  times: readonly number[],
  summary: PingSummary,
  columns: number,
): string {
  const last = times.at(-1);
  const time = last === undefined ? "" : ` ${milliseconds(last)} ms`;
  const head = sample === undefined ? "" : `seq=${sample.seq ?? "?"}${time}`;
  const tail = [interimLine(summary), answeredText(summary), lossText(summary)]
    .find((text) => head.length + 1 + text.length <= columns);
  if (tail === undefined) return lossText(summary);
  const room = Math.min(columns - head.length - tail.length - 2, SHOWN_TIMES);
  return [head, sparkline(times, room), tail].filter((text) => text !== "").join(" ");
}

/** The line on a terminal, kept up to date. */
export class LiveLine {
  #sample: Sample | undefined;
  #times: number[] = [];
  #line: StatusLine;

  /** @param options How it is drawn. */
  constructor(options: StatusLineOptions) {
    this.#line = new StatusLine(options);
  }

  /**
   * Takes an answer, and draws the line anew unless it was drawn a moment ago.
   *
   * @param sample The answer.
   * @param summarize Makes the summary so far.
   */
  update(sample: Sample, summarize: () => PingSummary): void {
    if (sample.rtt_us !== null && !sample.odd.includes("duplicate")) this.#times.push(sample.rtt_us);
    if (this.#times.length > 2 * SHOWN_TIMES) this.#times.splice(0, SHOWN_TIMES);
    this.#sample = sample;
    this.refresh(summarize);
  }

  /**
   * Draws the line anew unless it was drawn a moment ago: what is lost shows while no answer comes, too.
   *
   * @param summarize Makes the summary so far.
   */
  refresh(summarize: () => PingSummary): void {
    this.#line.draw((columns) => [liveText(this.#sample, this.#times, summarize(), columns)]);
  }

  /** Removes the line, so that something else can be written there. */
  clear(): void {
    this.#line.clear();
  }
}
