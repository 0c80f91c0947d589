/**
 * What a person sees of `meari ping`, line by line.
 *
 * @module
 */

import { formatDuration, plural } from "../../lib/units.ts";
import { HEADER_BYTES } from "./probe.ts";
import type { Sample } from "./sample.ts";
import type { SweepResult, SweepRow } from "./sweep.ts";
import type { PingSummary } from "./tally.ts";

/**
 * Writes an answer as ping(8) does.
 *
 * @param sample The answer.
 * @param from Where it came from, as in `64 bytes from 127.0.0.1:65456`, or what was connected to.
 * @returns A line such as `64 bytes from 127.0.0.1:65456: seq=3 time=0.083 ms`.
 */
export function sampleLine({ seq, rtt_us, odd, wrong_byte }: Sample, from: string): string {
  const head = seq === null ? `${from}: not an answer to any probe` : `${from}: seq=${seq}`;
  const time = rtt_us === null ? "" : ` time=${milliseconds(rtt_us)} ms`;
  const wrong = wrong_byte === undefined ? "" : ` byte ${wrong_byte} is wrong`;
  return `${head}${time}${wrong}${odd.map((oddity) => ` (${oddity})`).join("")}`;
}

/**
 * Writes what a session measured.
 *
 * @param place The endpoint.
 * @param summary What was measured.
 * @param size The size of a probe in bytes; `undefined` where connections were measured.
 * @returns The lines.
 */
export function summaryLines(place: string, summary: PingSummary, size: number | undefined): string[] {
  const { sent, received, late, duplicate, reordered, corrupted, unrelated, rtt_us: rtt, jitter_us: jitter } = summary;
  const { wakeup_us: wakeup } = summary;
  const lines = [
    `--- ${place} ping statistics ---`,
    `${sent} sent, ${received} received, ${lossText(summary)}, ${duplicate} duplicate, ${reordered} reordered, ` +
    `${corrupted} corrupted, ${late} late, ${unrelated} unrelated, in ${formatDuration(summary.duration_s * 1000)}`,
  ];
  if (size === 0) lines.push("(empty probes are all the same: loss and reordering cannot be told apart)");
  else if (size !== undefined && size < HEADER_BYTES) {
    lines.push(
      `(probes under ${HEADER_BYTES} bytes carry no sequence number: an answer that is late counts as duplicate)`,
    );
  }
  if (rtt !== null) {
    const names = ["min", "mean", "median", "p90", "p99", "max", "stddev"] as const;
    lines.push(`RTT ms: ${names.map((name) => `${name} ${milliseconds(rtt[name])}`).join(", ")}`);
  }
  if (wakeup !== undefined) {
    const names = ["median", "p99", "max"] as const;
    lines.push(
      `wakeup ms, part of the RTT: ${names.map((name) => `${name} ${milliseconds(wakeup[name])}`).join(", ")}`,
    );
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
  const { rtt_us: rtt } = summary;
  const times = rtt && [rtt.min, rtt.median, rtt.p99, rtt.max].map(milliseconds).join("/");
  return `${answeredText(summary)}${times ? `, min/median/p99/max ${times} ms` : ""}`;
}

/**
 * Writes how many probes were answered.
 *
 * @param summary What was measured so far.
 * @returns Text such as `199/200 answered, 1 lost (0.5%)`.
 */
export function answeredText(summary: PingSummary): string {
  return `${summary.received}/${summary.sent} answered, ${lossText(summary)}`;
}

/**
 * Writes how the datagrams of one size fared.
 *
 * @param row What a sweep tells of them.
 * @returns A line such as `  1472 bytes: 3 of 3 came back  RTT ms: min 0.061, median 0.083`.
 */
export function rowLine({ bytes, sent, received, corrupted, rtt_us: rtt, error }: SweepRow): string {
  const times = rtt === null ? "" : `  RTT ms: min ${milliseconds(rtt.min)}, median ${milliseconds(rtt.median)}`;
  const notes = [corrupted && `${corrupted} corrupted`, error].filter(Boolean).map((note) => `  (${note})`).join("");
  return `${plural(bytes, "byte").padStart(11)}: ${received} of ${sent} came back${times}${notes}`;
}

/**
 * Writes what a sweep found.
 *
 * @param result What it found.
 * @returns The lines.
 */
export function sweepLines({ largest_bytes: largest, loss_from_bytes: lossFrom }: SweepResult): string[] {
  return [
    largest === null ? "no datagram came back" : `largest datagram that comes back: ${plural(largest, "byte")}`,
    lossFrom === null ? "no loss at any size" : `loss from ${plural(lossFrom, "byte")} on`,
  ];
}

/**
 * Writes how much was lost.
 *
 * @param summary What was measured.
 * @returns Text such as `1 lost (0.5%)`.
 */
export function lossText({ sent, lost }: PingSummary): string {
  const percent = sent === 0 ? 0 : 100 * lost / sent;
  return `${lost} lost (${Number(percent.toFixed(percent < 1 ? 3 : 1))}%)`;
}

/**
 * Writes a time in milliseconds, to the microsecond.
 *
 * @param microseconds The time in microseconds.
 * @returns Text such as `0.083`.
 */
export function milliseconds(microseconds: number): string {
  return (microseconds / 1000).toFixed(3);
}
