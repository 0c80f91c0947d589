/**
 * The sweep of `meari ping`: which sizes of datagram come back.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { runPing } from "./ping.ts";
import type { SweepRange } from "./options.ts";
import type { PingSummary } from "./tally.ts";

/** How many sizes are tried first where the user names no step. */
const COARSE_STEPS = 16;

/** From one probe of a size to the next, in milliseconds. */
const INTERVAL = 20;

/** How the datagrams of one size fared. */
export interface SweepRow {
  /** The size of the datagrams. */
  bytes: number;
  /** How many were sent. */
  sent: number;
  /** How many came back whole. */
  received: number;
  /** How many did not. */
  lost: number;
  /** Round-trip times in microseconds; `null` where none came back. */
  rtt_us: PingSummary["rtt_us"];
  /** Why they could not even be sent, where that is so. */
  error?: string;
}

/** How a sweep runs. Times are in milliseconds. */
export interface SweepOptions {
  /** The sizes. */
  range: SweepRange;
  /** How many datagrams of each size to send. */
  count: number;
  /** How long an answer is waited for. */
  wait: number;
  /** Told of each size. */
  onRow: (row: SweepRow) => void;
  /** Ends the sweep early. */
  signal: AbortSignal;
}

/** What a sweep found. */
export interface SweepResult {
  /** The sizes tried, ascending. */
  sweep: SweepRow[];
  /** The largest size of which a datagram came back; `null` where none did. */
  largest_bytes: number | null;
  /** The smallest size of which a datagram did not come back; `null` where all did. */
  loss_from_bytes: number | null;
}

/**
 * Sends datagrams of many sizes. Without a step, sizes are first tried at even distances, and then the limit is narrowed
 * down to the byte.
 *
 * @param endpoint A `udp` or `unixgram` endpoint.
 * @param options How.
 * @returns What was found.
 * @throws {MeariError} If there is no such host.
 */
export async function runSweep(endpoint: Endpoint, options: SweepOptions): Promise<SweepResult> {
  const { min, max, step } = options.range;
  const rows = new Map<number, SweepRow>();
  const comesBack = async (bytes: number) => {
    const row = rows.get(bytes) ?? await probe(endpoint, bytes, options);
    if (!rows.has(bytes)) options.onRow(row);
    rows.set(bytes, row);
    return row.received > 0;
  };
  const stride = step ?? Math.max(1, Math.ceil((max - min) / COARSE_STEPS));
  let good: number | undefined, bad: number | undefined;
  for (let bytes = min; !options.signal.aborted; bytes = Math.min(bytes + stride, max)) {
    if (await comesBack(bytes)) [good, bad] = [bytes, undefined];
    else bad ??= bytes;
    if (bytes === max) break;
  }
  while (step === undefined && good !== undefined && bad !== undefined && bad - good > 1 && !options.signal.aborted) {
    const middle = Math.floor((good + bad) / 2);
    if (await comesBack(middle)) good = middle;
    else bad = middle;
  }
  const sweep = [...rows.values()].sort((a, b) => a.bytes - b.bytes);
  return {
    sweep,
    largest_bytes: good ?? null,
    loss_from_bytes: sweep.find((row) => row.lost > 0)?.bytes ?? null,
  };
}

async function probe(endpoint: Endpoint, bytes: number, options: SweepOptions): Promise<SweepRow> {
  let error: string | undefined;
  const { summary } = await runPing(endpoint, {
    interval: INTERVAL,
    flood: false,
    count: options.count,
    deadline: Infinity,
    size: bytes,
    wait: options.wait,
    timeout: options.wait,
    onSample: () => {},
    onFailure: (_, cause) => error = cause,
    onStart: () => {},
    signal: options.signal,
  });
  const { sent, received, rtt_us } = summary;
  return { bytes, sent, received, lost: sent - received, rtt_us, ...(error !== undefined && { error }) };
}
