/**
 * The progress of a load on a terminal.
 *
 * @module
 */

import { formatDuration } from "../../lib/units.ts";
import { type BenchTally, formatCount } from "./result.ts";

/** How often the line is drawn, in milliseconds. */
const PERIOD = 200;

/** How wide the bar is, in columns. */
const BAR = 30;

/** A load whose progress is shown. */
export interface Progressing {
  /** What the line begins with. */
  title: string;
  /** The books. */
  tally: BenchTally;
  /** When the measurement begins, in milliseconds since 1970. */
  start: number;
  /** How long it takes, in milliseconds; `Infinity` where the messages are counted. */
  duration: number;
  /** How many messages there are, where they are counted. */
  messages: number | undefined;
}

/**
 * Keeps a line on stderr up to date, if that is a terminal, until disposed.
 *
 * @param load The load.
 * @returns Clears the line.
 */
export function showProgress(load: Progressing): Disposable {
  if (!Deno.stderr.isTerminal()) return { [Symbol.dispose]: () => {} };
  const timer = setInterval(() => draw(`\r${progressLine(load, Date.now())}\x1b[K`), PERIOD);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      draw("\r\x1b[K");
    },
  };
}

/**
 * Writes how a load stands.
 *
 * @param load The load.
 * @param now The time in milliseconds since 1970.
 * @returns Text such as `tcp://127.0.0.1:65456 ███████░░░░░░░ 50 %  123,457/s  p99 812us`.
 */
export function progressLine({ title, tally, start, duration, messages }: Progressing, now: number): string {
  if (now < start) return `${title} warming up`;
  const { latencies, measured } = tally;
  const share = Math.min(1, messages === undefined ? (now - start) / duration : latencies.count / messages);
  const full = Math.round(share * BAR);
  const bar = "█".repeat(full) + "░".repeat(BAR - full);
  const figures = latencies.count === 0
    ? ""
    : `  ${formatCount(latencies.count / measured * 1000)}/s  p99 ${formatDuration(latencies.percentile(99) / 1000)}`;
  return `${title} ${bar} ${Math.round(share * 100)} %${figures}`;
}

function draw(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // There is nobody left to tell.
  }
}
