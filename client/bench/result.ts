/**
 * What a load came to: the books of all its threads, and the result in figures and in words.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { ExitCode } from "../../lib/errors.ts";
import type { HdrInterval } from "../measure/hdr_log_writer.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { type LatencySummary, latencySummary } from "../measure/summary.ts";
import { formatDuration } from "../../lib/units.ts";
import { countCause, type Faults } from "./schedule.ts";
import type { LoadReport } from "./load.ts";

/** The result of a load, as `--json` prints it. */
export interface BenchSummary {
  /** The server. */
  endpoint: string;
  /** How many messages were answered. */
  messages: number;
  /** How many bytes went out in them; as many came back. */
  bytes: number;
  /** From when messages counted to the last answer, in seconds. */
  duration_s: number;
  /** Messages a second. */
  messages_per_s: number;
  /** Bytes a second each way. */
  bytes_per_s: number;
  /** Messages that were not answered: the connection broke, or no answer came in time. */
  lost: number;
  /** Lost datagrams whose answers came later. */
  late: number;
  /** Datagrams that were answered again. */
  duplicated: number;
  /** How often what went wrong. */
  errors: Record<string, number>;
  /** The latencies in microseconds; `null` where nothing was answered. */
  latency_us: LatencySummary | null;
}

/** An interval shorter than this, in milliseconds, is counted to the one before it: the rest after the last second. */
const SHORT_INTERVAL = 500;

/** The books of a load, of all its threads. */
export class BenchTally {
  /** All latencies so far. */
  readonly latencies = new LatencyRecorder();

  #endpoint: Endpoint;
  #size: number;
  #onInterval: (interval: HdrInterval) => void;
  #start = 0;
  #threads: { faults: Faults; interval: number }[];
  #intervals = new Map<number, { from: number; to: number; latencies: LatencyRecorder }>();
  #measured = 0;

  /**
   * Opens the books.
   *
   * @param about The server, the size of a message in bytes, and how many threads report.
   * @param onInterval Told of each second of the measurement, in order, once all threads have reported it.
   */
  constructor(
    about: { endpoint: Endpoint; size: number; threads: number },
    onInterval: (interval: HdrInterval) => void = () => {},
  ) {
    this.#endpoint = about.endpoint;
    this.#size = about.size;
    this.#onInterval = onInterval;
    this.#threads = Array.from(
      { length: about.threads },
      () => ({ faults: { lost: 0, late: 0, duplicated: 0, refused: {}, broken: {} }, interval: 0 }),
    );
  }

  /**
   * Sets when the measurement begins.
   *
   * @param start The time in milliseconds since 1970.
   */
  begin(start: number): void {
    this.#start = start;
  }

  /** How long the measurement has taken so far, in milliseconds. */
  get measured(): number {
    return this.#measured;
  }

  /**
   * Adds what a thread tells.
   *
   * @param thread The number of the thread.
   * @param report What it tells.
   */
  add(thread: number, report: LoadReport): void {
    const { from, to, latencies } = report;
    this.latencies.add(latencies);
    this.#measured = Math.max(this.#measured, to);
    const number = Math.max(0, Math.round(from / 1000) - (to - from < SHORT_INTERVAL ? 1 : 0));
    this.#threads[thread] = { faults: report.faults, interval: number };
    const interval = this.#intervals.get(number) ?? { from, to, latencies: new LatencyRecorder() };
    this.#intervals.set(number, interval);
    interval.from = Math.min(interval.from, from);
    interval.to = Math.max(interval.to, to);
    interval.latencies.add(latencies);
    this.#tell(Math.min(...this.#threads.map(({ interval }) => interval)));
  }

  /** Closes the books: tells of the intervals that are left. */
  close(): void {
    this.#tell(Infinity);
  }

  /**
   * Sums up.
   *
   * @returns The result so far.
   */
  summary(): BenchSummary {
    const seconds = this.#measured / 1000;
    const messages = this.latencies.count, bytes = messages * this.#size;
    const sum = (name: "lost" | "late" | "duplicated") =>
      this.#threads.reduce((total, { faults }) => total + faults[name], 0);
    return {
      endpoint: formatEndpoint(this.#endpoint),
      messages,
      bytes,
      duration_s: round(seconds, 6),
      messages_per_s: seconds > 0 ? round(messages / seconds, 1) : 0,
      bytes_per_s: seconds > 0 ? Math.round(bytes / seconds) : 0,
      lost: sum("lost"),
      late: sum("late"),
      duplicated: sum("duplicated"),
      errors: { ...this.#causes("refused"), ...this.#causes("broken") },
      latency_us: latencySummary(this.latencies),
    };
  }

  /** What the program exits with for this result. */
  get exitCode(): number {
    const { messages, lost, duplicated } = this.summary();
    const refused = Object.keys(this.#causes("refused")).length > 0;
    if (messages === 0 && refused) return ExitCode.failed;
    const wrong = lost > 0 || duplicated > 0 || Object.keys(this.#causes("broken")).length > 0;
    return wrong ? ExitCode.mismatch : refused ? ExitCode.failed : ExitCode.ok;
  }

  #causes(kind: "refused" | "broken"): Record<string, number> {
    const causes: Record<string, number> = {};
    for (const { faults } of this.#threads) {
      for (const [cause, count] of Object.entries(faults[kind])) countCause(causes, cause, count);
    }
    return causes;
  }

  /** Tells of the intervals before one of which something may still come. */
  #tell(before: number): void {
    for (const [number, { from, to, latencies }] of [...this.#intervals].sort(([a], [b]) => a - b)) {
      if (number >= before) return;
      this.#intervals.delete(number);
      this.#onInterval({ start: this.#start + from, end: this.#start + to, latencies });
    }
  }
}

/** Thousands apart. */
const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * Writes a count or a rate for people.
 *
 * @param value The number.
 * @returns Text such as `123,457`.
 */
export function formatCount(value: number): string {
  return GROUPED.format(value);
}

/**
 * Writes a result for people.
 *
 * @param summary The result.
 * @returns The lines.
 */
export function resultLines(summary: BenchSummary): string[] {
  const { messages, latency_us: latency } = summary;
  const megabytes = (summary.bytes_per_s / 1e6).toFixed(summary.bytes_per_s < 1e8 ? 2 : 0);
  const lines = [
    `messages  ${formatCount(messages)} in ${formatDuration(summary.duration_s * 1000)}: ` +
    `${formatCount(summary.messages_per_s)}/s, ${megabytes} MB/s each way`,
  ];
  if (latency) {
    lines.push(
      `latency   min ${time(latency.min)}, mean ${time(latency.mean)}, max ${time(latency.max)}`,
      `          p50 ${time(latency.p50)}, p90 ${time(latency.p90)}, p99 ${time(latency.p99)}`,
      `          p99.9 ${time(latency.p99_9)}, p99.99 ${time(latency.p99_99)}, p99.999 ${time(latency.p99_999)}`,
    );
  }
  const faults = faultsOf(summary);
  return [...lines, ...(faults.length > 0 ? faults : ["no faults"])];
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
  return [`${formatCount(messages_per_s)}/s`, ...times, ...faultsOf(summary)].join(", ");
}

function faultsOf({ messages, lost, late, duplicated, errors }: BenchSummary): string[] {
  const faults = Object.entries(errors).map(([cause, count]) => `${formatCount(count)} x ${cause}`);
  const share = Number((100 * lost / (messages + lost)).toPrecision(2));
  if (duplicated > 0) faults.unshift(`${formatCount(duplicated)} doubled`);
  if (lost > 0) {
    faults.unshift(`${formatCount(lost)} lost (${share} %${late > 0 ? `, ${formatCount(late)} late` : ""})`);
  }
  return faults;
}

function time(us: number): string {
  return formatDuration(us / 1000);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
