/**
 * The sweep of `meari ping`: which sizes of datagram come back.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { ping } from "./ping.ts";
import type { PingOptions } from "./session.ts";
import type { PingSummary } from "./tally.ts";

/** How many sizes are tried first where the user names no step. */
const COARSE_STEPS = 16;

/** From one probe of a size to the next, in milliseconds. */
const INTERVAL = 20;

/** The sizes of a sweep, in bytes. */
export interface SweepRange {
  /** The smallest. */
  min: number;
  /** The largest. */
  max: number;
  /** From one size to the next. Default: a coarse step, and then the limit is narrowed down to the byte. */
  step?: number | undefined;
}

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
  /** Of how many of these something else came back, where that is so. */
  corrupted?: number;
  /** Round-trip times in microseconds; `null` where none came back. */
  rtt_us: PingSummary["rtt_us"];
  /** Why they could not even be sent, where that is so. */
  error?: string;
}

/** How a sweep runs. Times are in milliseconds. */
export interface SweepOptions extends Pick<PingOptions, "count" | "wait" | "timeout" | "signal"> {
  /** How many datagrams of each size to send. Default: 3. */
  count?: number;
  /** Told of each size. */
  onRow?: (row: SweepRow) => void;
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
 * Sends datagrams of many sizes, to find the largest that comes back.
 *
 * @param endpoint An endpoint of a transport of datagrams.
 * @param range The sizes.
 * @param options How. The signal ends the sweep with what was found so far.
 * @returns What was found.
 * @throws {MeariError} If the server cannot be reached.
 * @throws The signal's reason if it comes before the first size is done.
 */
export async function sweep(
  endpoint: Endpoint,
  range: SweepRange,
  options: SweepOptions = {},
): Promise<SweepResult> {
  const { min, max, step } = range;
  const { signal, onRow } = options;
  const rows = new Map<number, SweepRow>();
  const comesBack = async (bytes: number): Promise<boolean> => {
    let row = rows.get(bytes);
    if (row === undefined) {
      try {
        row = await probe(endpoint, bytes, options);
      } catch (error) {
        if (!signal?.aborted) throw error;
      }
      if (rows.size === 0) signal?.throwIfAborted();
      // What came of it so far tells nothing about this size.
      if (row === undefined || signal?.aborted) return false;
      rows.set(bytes, row);
      onRow?.(row);
    }
    return row.received > 0;
  };
  const stride = step ?? Math.max(1, Math.ceil((max - min) / COARSE_STEPS));
  let good: number | undefined, bad: number | undefined;
  for (let bytes = min;; bytes = Math.min(bytes + stride, max)) {
    if (await comesBack(bytes)) [good, bad] = [bytes, undefined];
    else bad ??= bytes;
    if (bytes === max || signal?.aborted) break;
  }
  while (step === undefined && good !== undefined && bad !== undefined && bad - good > 1 && !signal?.aborted) {
    const middle = Math.floor((good + bad) / 2);
    if (await comesBack(middle)) good = middle;
    else bad = middle;
  }
  const tried = [...rows.values()].sort((a, b) => a.bytes - b.bytes);
  return {
    sweep: tried,
    largest_bytes: good ?? null,
    loss_from_bytes: tried.find((row) => row.lost > 0)?.bytes ?? null,
  };
}

async function probe(endpoint: Endpoint, bytes: number, options: SweepOptions): Promise<SweepRow> {
  const { count = 3, wait, timeout, signal } = options;
  let error: string | undefined;
  const { summary: { sent, received, corrupted, rtt_us } } = await ping(endpoint, {
    interval: INTERVAL,
    // A thread of its own takes longer to start than these few probes.
    engine: "portable",
    count,
    size: bytes,
    wait,
    timeout,
    signal,
    onFailure: (_, cause) => error = cause,
  });
  return {
    bytes,
    sent,
    received,
    lost: sent - received,
    ...(corrupted > 0 && { corrupted }),
    rtt_us,
    ...(error !== undefined && { error }),
  };
}
