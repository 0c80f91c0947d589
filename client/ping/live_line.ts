/**
 * The line of `meari ping --live`: the last round-trip time, the latest ones as a sparkline, and the counts.
 *
 * @module
 */

import { sparkline } from "../measure/pictures.ts";
import type { Sample } from "./sample.ts";
import type { PingSummary } from "./tally.ts";
import { answeredText, interimLine, lossText, milliseconds } from "./view.ts";

/** How often the line is drawn anew at the most, in milliseconds. */
const REDRAW = 50;

/** How many round-trip times are shown at the most. */
const SHOWN_TIMES = 60;

/** The last columns stay free, for the `^C` that ends it and for the cursor. */
const MARGIN = 3;

/**
 * Writes how a session stands in a line of some width. Where they do not fit, the times in all are left out, then the
 * count of answers; the sparkline has the room that is left.
 *
 * @param sample The last answer.
 * @param times The latest round-trip times, in microseconds.
 * @param summary What was measured so far.
 * @param columns How many columns it may take.
 * @returns The line.
 */
export function liveText(sample: Sample, times: readonly number[], summary: PingSummary, columns: number): string {
  const last = times.at(-1);
  const head = `seq=${sample.seq ?? "?"}${last === undefined ? "" : ` ${milliseconds(last)} ms`}`;
  const tail = [interimLine(summary), answeredText(summary), lossText(summary)]
    .find((text) => head.length + 1 + text.length <= columns);
  if (tail === undefined) return head.slice(0, columns);
  const room = Math.min(columns - head.length - tail.length - 2, SHOWN_TIMES);
  return [head, sparkline(times, room), tail].filter((text) => text !== "").join(" ");
}

/** The line on a terminal, kept up to date. */
export class LiveLine {
  #times: number[] = [];
  #drawnAt = -Infinity;
  #write: (text: string) => void;
  #columns: () => number;

  /**
   * @param write Writes to the terminal.
   * @param columns Tells how many columns it has.
   */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
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
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW) return;
    this.#drawnAt = now;
    this.#write(`\r\x1b[K${liveText(sample, this.#times, summarize(), this.#columns() - MARGIN)}`);
  }

  /** Leaves the line. */
  end(): void {
    this.#write("\n");
  }
}
