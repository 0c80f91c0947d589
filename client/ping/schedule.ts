/**
 * The schedule of a ping session: probes go out when they are due, whether or not answers come.
 *
 * @module
 */

import type { PingTally } from "./tally.ts";

/** A flood sends this often, in milliseconds, even where no answers come. */
const FLOOD_INTERVAL = 10;

/** How many probes may go out before answers are looked for. */
const BURST = 16;

/** How long after the last answer to look for more of it, in milliseconds, at least; or three times the longest RTT. */
const LINGER = 10;

/** How fast probes go out, and how long they are waited for. Times are in milliseconds. */
export interface Pace {
  /** Between one probe and the next; 0 for as fast as answers come. */
  interval: number;
  /** As fast as answers come, and at least a hundred times a second, in place of `interval`. */
  flood: boolean;
  /** How many probes to send. */
  count: number;
  /** How long an answer is waited for. */
  wait: number;
}

/** What a schedule drives. Times are in nanoseconds since the session began. */
export interface Scheduled {
  /** The counts. */
  readonly tally: PingTally;
  /** Tells the time. */
  now(): number;
  /** Tells whether the session is over. */
  isOver(): boolean;
  /** Sends the next probe. Where it keeps the thread to itself it may also wait, as {@linkcode rest} does. */
  launch(until: number): void;
  /** Waits until a time, or until something happens. Where the time has come it still looks for answers. */
  rest(until: number): void | Promise<void>;
}

/**
 * Sends all probes, and waits for their answers.
 *
 * @param pace How fast.
 * @param run What sends and receives.
 */
export async function runSchedule(pace: Pace, run: Scheduled): Promise<void> {
  const lastSentAt = await sendAll(pace, run);
  const { tally } = run;
  const waitUntil = lastSentAt + pace.wait * 1e6;
  while (!run.isOver() && tally.outstanding > 0 && run.now() < waitUntil) await run.rest(waitUntil);
  // The last answer may come twice, too.
  const longest = tally.latencies.max;
  const lingerUntil = run.now() + Math.min(Math.max(LINGER * 1e6, 3000 * longest), pace.wait * 1e6);
  while (!run.isOver() && tally.latencies.count > 0 && run.now() < lingerUntil) await run.rest(lingerUntil);
}

async function sendAll({ interval, flood, count, wait }: Pace, run: Scheduled): Promise<number> {
  const { tally } = run;
  const paced = interval > 0 && !flood;
  let lastSentAt = 0;
  while (tally.sent < count && !run.isOver()) {
    const due = tally.sent * interval * 1e6;
    if (paced && run.now() < due) {
      await run.rest(due);
      continue;
    }
    lastSentAt = run.now();
    const patience = lastSentAt + (flood ? Math.min(FLOOD_INTERVAL, wait) : wait) * 1e6;
    const before = tally.outstanding + 1;
    run.launch(paced && tally.sent + 1 < count ? due + interval * 1e6 : patience);
    if (paced) {
      // Where many are due at once, answers are read in between: the socket's buffer holds only so many.
      if (tally.sent % BURST === 0) await run.rest(0);
      continue;
    }
    while (!run.isOver() && tally.outstanding >= before && run.now() < patience) await run.rest(patience);
  }
  return lastSentAt;
}
