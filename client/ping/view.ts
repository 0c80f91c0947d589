/**
 * What a person or a program sees of `meari ping`.
 *
 * @module
 */

import { histogramLines, sparkline } from "../measure/pictures.ts";
import { formatDuration } from "../../lib/units.ts";
import type { PingSummary, PingTally, Sample } from "./tally.ts";

/** How wide a picture is where there is no terminal to ask. */
const DEFAULT_WIDTH = 80;

/**
 * Writes an answer as ping(8) does.
 *
 * @param sample The answer.
 * @param peer The server's address.
 * @param connect Whether a connection was measured rather than a message.
 * @returns A line such as `64 bytes from 127.0.0.1:65456: seq=3 time=0.083 ms`.
 */
export function sampleLine(sample: Sample, peer: string, connect: boolean): string {
  const { sequence, bytes, rtt, wrongAt } = sample;
  const head = connect ? `connected to ${peer}:` : `${bytes} bytes from ${peer}:`;
  if (sequence === undefined && wrongAt !== undefined) return `${head} not an answer to any probe (corrupted)`;
  const seq = sequence === undefined ? "" : ` seq=${sequence}`;
  if (wrongAt !== undefined) return `${head}${seq} byte ${wrongAt + 1} is wrong (corrupted)`;
  const time = rtt === undefined ? "" : ` time=${milliseconds(rtt / 1000)} ms`;
  return `${head}${seq}${time}${oddities(sample).map((oddity) => ` (${oddity})`).join("")}`;
}

/**
 * Says what was odd about an answer.
 *
 * @param sample The answer.
 * @returns Words, none for an answer as it should be.
 */
export function oddities(sample: Sample): string[] {
  const odd: string[] = [];
  if (sample.wrongAt !== undefined) odd.push("corrupted");
  if (sample.duplicate) odd.push("duplicate");
  if (sample.reordered) odd.push("reordered");
  if (sample.late) odd.push("late");
  return odd;
}

/**
 * Writes an answer as a JSON object.
 *
 * @param sample The answer.
 * @returns What `--json --samples` prints for it.
 */
export function sampleObject(sample: Sample): Record<string, unknown> {
  return {
    seq: sample.sequence ?? null,
    rtt_us: sample.rtt === undefined ? null : Math.round(sample.rtt) / 1000,
    bytes: sample.bytes,
    odd: oddities(sample),
  };
}

/**
 * Writes what a session measured, for people.
 *
 * @param place The endpoint.
 * @param summary What was measured.
 * @param numbered Whether the probes carried sequence numbers.
 * @returns The lines.
 */
export function summaryLines(place: string, summary: PingSummary, numbered: boolean): string[] {
  const { sent, received, late, duplicated, reordered, corrupted, rtt_us: rtt, jitter_us: jitter } = summary;
  const lines = [
    `--- ${place} ping statistics ---`,
    `${sent} sent, ${received} received, ${lossText(summary)}, ${duplicated} duplicated, ${reordered} reordered, ` +
    `${corrupted} corrupted, ${late} late, in ${formatDuration(summary.duration_s * 1000)}`,
  ];
  if (!numbered) lines.push("(probes this small carry no sequence number: loss and reordering cannot be told apart)");
  if (rtt !== null) {
    const names = ["min", "mean", "median", "p90", "p99", "max", "stddev"] as const;
    lines.push(`RTT ms: ${names.map((name) => `${name} ${milliseconds(rtt[name])}`).join(", ")}`);
  }
  if (jitter.rfc3550 !== null && jitter.ipdv_mean !== null) {
    lines.push(
      `jitter ms: RFC 3550 ${milliseconds(jitter.rfc3550)}, mean IPDV ${milliseconds(jitter.ipdv_mean)}`,
    );
  }
  return lines;
}

/**
 * Writes how a session stands, in one line.
 *
 * @param summary What was measured so far.
 * @returns The line.
 */
export function interimLine(summary: PingSummary): string {
  const { sent, received, rtt_us: rtt } = summary;
  const times = rtt === null
    ? ""
    : `, min/median/p99/max ${[rtt.min, rtt.median, rtt.p99, rtt.max].map(milliseconds).join("/")} ms`;
  return `${received}/${sent} answered, ${lossText(summary)}${times}`;
}

/**
 * Draws the distribution of the round-trip times.
 *
 * @param tally The books of the session.
 * @returns The lines.
 */
export function histogram(tally: PingTally): string[] {
  return histogramLines(tally.latencies, Math.min(terminalWidth(), 100));
}

/** One line that is kept up to date: the last round-trip time, the latest ones as a sparkline, and the loss. */
export class LiveLine {
  #times: number[] = [];
  #drawnAt = -Infinity;
  #write: (text: string) => void;

  /** @param write Writes to the terminal. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /**
   * Takes an answer, and draws the line anew unless it was drawn a moment ago.
   *
   * @param sample The answer.
   * @param summarize Makes the summary so far.
   */
  update(sample: Sample, summarize: () => PingSummary): void {
    if (sample.rtt !== undefined && !sample.duplicate) this.#times.push(sample.rtt);
    if (this.#times.length > 1000) this.#times.splice(0, 500);
    const now = performance.now();
    if (now - this.#drawnAt < 50) return;
    this.#drawnAt = now;
    const text = interimLine(summarize());
    const last = this.#times.at(-1);
    const head = `seq=${sample.sequence ?? "?"} ${last === undefined ? "" : `${milliseconds(last / 1000)} ms `}`;
    // The last columns stay free for the ^C that ends it.
    const room = terminalWidth() - head.length - text.length - 4;
    this.#write(`\r\x1b[K${head}${sparkline(this.#times, Math.max(0, Math.min(room, 60)))} ${text}`);
  }

  /** Leaves the line. */
  end(): void {
    this.#write("\n");
  }
}

function lossText({ sent, lost }: PingSummary): string {
  const percent = sent === 0 ? 0 : 100 * lost / sent;
  return `${lost} lost (${Number(percent.toFixed(percent < 1 ? 3 : 1))}%)`;
}

function milliseconds(microseconds: number): string {
  return (microseconds / 1000).toFixed(3);
}

function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return DEFAULT_WIDTH;
  }
}
