/**
 * What a load came to, as data and in words.
 *
 * @module
 */

import { ExitCode } from "../../lib/errors.ts";
import { formatCount, formatDuration, formatSize } from "../../lib/units.ts";
import type { LatencySummary } from "../measure/summary.ts";

/** The result of a load, as `--json` prints it. */
export interface BenchSummary {
  /** The server. */
  endpoint: string;
  /** How many messages were answered. */
  messages: number;
  /** How many bytes came back, in them and of unfinished ones; as many had gone out. */
  bytes: number;
  /** From when messages counted to the last answer, in seconds. */
  duration_s: number;
  /** Messages a second. */
  messages_per_s: number;
  /** Bytes a second each way. */
  bytes_per_s: number;
  /** Messages that were not answered: the connection broke, no answer came in time, or there was nothing to send on. */
  lost: number;
  /** Lost datagrams whose answers came later. */
  late: number;
  /** Answers to datagrams that were answered already. */
  duplicate: number;
  /** Messages that were still on their way when the load ended: neither answered nor lost. */
  unfinished: number;
  /** How many of `bytes` are of unfinished messages. */
  unfinished_bytes: number;
  /** How often a connection could not be made, or a datagram not be sent; `errors` says why. */
  refused: number;
  /** How often what went wrong. */
  errors: Record<string, number>;
  /**
   * The share of the time in which the load generator had something to do while it sent, of its busiest thread, from 0 to 1;
   * `null` where that is not known.
   */
  busy: number | null;
  /**
   * The longest time that a message was sent after it was due, in microseconds; `null` without a rate. Latencies count from
   * when messages were due, so it is part of some.
   */
  behind_us: number | null;
  /** How many datagrams came back for which the load generator's own receive buffers had no room; `null` where not known. */
  dropped: number | null;
  /** The latencies in microseconds; `null` where nothing was answered. */
  latency_us: LatencySummary | null;
}

/** A load generator that is busier than this has no time left, and what it measures is its own limit. */
const NO_TIME_LEFT = 0.95;

/** What is measured in less time than this tells nothing of limits, in seconds. */
const TOO_SHORT = 0.1;

/** A load generator that is behind its schedule by more than this cannot keep it, in microseconds. */
const MUCH_BEHIND = 10_000;

/**
 * What the program exits with for a result.
 *
 * @param summary The result.
 * @returns 3 where something was lost or wrong, 1 where something could only not be reached, else 0.
 */
export function exitCodeOf({ messages, lost, duplicate, refused, errors }: BenchSummary): number {
  if (messages === 0 && refused > 0) return ExitCode.failed;
  const broken = Object.values(errors).reduce((total, count) => total + count, 0) - refused;
  return lost + duplicate + broken > 0 ? ExitCode.mismatch : refused > 0 ? ExitCode.failed : ExitCode.ok;
}

/**
 * Writes a result for people.
 *
 * @param summary The result.
 * @returns The lines.
 */
export function resultLines(summary: BenchSummary): string[] {
  const { messages, latency_us: latency } = summary;
  const lines = [
    `messages  ${formatCount(messages)} in ${formatDuration(summary.duration_s * 1000)}: ` +
    `${formatCount(summary.messages_per_s)}/s, ${formatByteRate(summary.bytes_per_s)} each way`,
  ];
  if (latency) {
    lines.push(
      `latency   min ${time(latency.min)}, mean ${time(latency.mean)}, max ${time(latency.max)}`,
      `          p50 ${time(latency.p50)}, p90 ${time(latency.p90)}, p99 ${time(latency.p99)}`,
      `          p99.9 ${time(latency.p99_9)}, p99.99 ${time(latency.p99_99)}, p99.999 ${time(latency.p99_999)}`,
    );
  }
  const faults = faultsOf(summary);
  return [
    ...lines,
    ...unfinishedOf(summary),
    ...(faults.length > 0 ? faults : ["no faults"]),
    ...droppedOf(summary),
    ...busyOf(summary),
  ];
}

/**
 * Writes a result for people in one line: the rate, the latency, and what went wrong.
 *
 * @param summary The result.
 * @returns The line.
 */
export function resultLine(summary: BenchSummary): string {
  const { latency_us: latency, messages_per_s } = summary;
  const times = latency ? [`p50 ${time(latency.p50)}`, `p99 ${time(latency.p99)}`] : [];
  const findings = [...unfinishedOf(summary), ...faultsOf(summary), ...droppedOf(summary)];
  if (isLimit(summary)) findings.push(...busyOf(summary));
  return [`${formatCount(messages_per_s)}/s`, ...times, ...findings].join(", ");
}

/**
 * Writes a rate of bytes for people.
 *
 * @param bytes Bytes a second.
 * @returns Text such as `9.58 MB/s` or `1,430 MB/s`.
 */
export function formatByteRate(bytes: number): string {
  return `${bytes < 1e8 ? (bytes / 1e6).toFixed(2) : formatCount(bytes / 1e6)} MB/s`;
}

function unfinishedOf({ unfinished, unfinished_bytes }: BenchSummary): string[] {
  if (unfinished === 0) return [];
  const part = unfinished_bytes > 0 ? `, of which ${formatSize(unfinished_bytes)} came back` : "";
  return [`${formatCount(unfinished)} unfinished${part}`];
}

function faultsOf({ messages, lost, late, duplicate, errors }: BenchSummary): string[] {
  const faults = Object.entries(errors).map(([cause, count]) => `${formatCount(count)} x ${cause}`);
  const share = Number((100 * lost / (messages + lost)).toPrecision(2));
  if (duplicate > 0) faults.unshift(`${formatCount(duplicate)} duplicate`);
  if (lost > 0) {
    faults.unshift(`${formatCount(lost)} lost (${share} %${late > 0 ? `, ${formatCount(late)} late` : ""})`);
  }
  return faults;
}

function droppedOf({ dropped }: BenchSummary): string[] {
  if (!dropped) return [];
  return [`${formatCount(dropped)} datagram${dropped === 1 ? "" : "s"} dropped in this program's own receive buffer`];
}

/** Whether the load generator was the limit, and not the server. */
function isLimit({ messages, duration_s, busy, behind_us }: BenchSummary): boolean {
  return messages > 0 && duration_s >= TOO_SHORT && busy !== null && busy >= NO_TIME_LEFT &&
    (behind_us === null || behind_us >= MUCH_BEHIND);
}

function busyOf(summary: BenchSummary): string[] {
  const { busy, behind_us } = summary;
  const was = busy === null ? [] : [`busy ${Math.round(100 * busy)} % of the time`];
  const isBehind = behind_us !== null && behind_us >= MUCH_BEHIND;
  if (isBehind) was.push(`up to ${time(behind_us)} behind`);
  if (was.length === 0) return [];
  const means = isLimit(summary)
    ? ": it was the limit, not the server"
    : isBehind
    ? ", which is part of some latencies"
    : "";
  return [`the load generator was ${was.join(" and ")}${means}`];
}

function time(us: number): string {
  return formatDuration(us / 1000);
}
