/**
 * The main file of the thread of a ping session, which lives in the system calls.
 *
 * @module
 */

import { openLibc } from "../../../lib/native/libc.ts";
import { Wakeup } from "../../../lib/native/wakeup.ts";
import { ProbeFormat } from "../probe.ts";
import { runSchedule } from "../schedule.ts";
import { PingTally } from "../tally.ts";
import { EventLog } from "./event_log.ts";
import type { LinkSession } from "./link.ts";
import type { Ending, FromThread, Order } from "./messages.ts";
import { Poll } from "./poll.ts";
import { StreamLink } from "./stream_link.ts";
import { UdpLink } from "./udp_link.ts";

/** When events are reported at the latest, in nanoseconds after the first of them. */
const REPORT_AFTER = 50e6;

/** How long there must be nothing to do, in nanoseconds, for events to be reported at once. */
const SPARE_TIME = 1e6;

/** How many bytes of answers are reported at the most together. */
const LARGEST_REPORT = 4 * 1024 * 1024;

/** How many reports may wait until the other thread takes them; then this one waits for it. */
const MOST_REPORTS = 16;

/** What this file uses of a worker's global scope, for which the type checker has no library here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(message: FromThread, transfer?: Transferable[]): void;
};

scope.onmessage = ({ data }) => run(data);
scope.postMessage("ready");

/** Both what it waits for, by their places. */
const SOCKET = 0, WAKEUP = 1;

async function run({ fd, sockaddr, wakeup: wakeupFd, taken, size, id, pace }: Order): Promise<void> {
  const libc = openLibc()!;
  const wakeup = new Wakeup(libc, wakeupFd);
  const format = new ProbeFormat(size, id);
  const tally = new PingTally(format, pace.wait * 1e6);
  const poll = new Poll(libc, [fd, wakeupFd]);
  const log = new EventLog();
  const startedAt = performance.now();
  const now = () => (performance.now() - startedAt) * 1e6;
  let over = false;
  let ending: Ending | undefined;
  let answered = 0, reported = 0, reportDue = Infinity;

  const failed = (sequence: number, errno: number) => {
    tally.fail(sequence);
    log.failed(sequence, errno);
  };
  const session: LinkSession = {
    format,
    now,
    failed,
    answered: (answer, at, wakeup) => {
      const { seq } = tally.answer(answer, at);
      if (seq !== null && seq > answered) answered = seq;
      log.answered(answer, at, wakeup);
    },
    end: (why) => {
      ending ??= why;
      over = true;
    },
  };
  const link = sockaddr ? new UdpLink(libc, fd, sockaddr, session) : new StreamLink(libc, fd, session);

  const launch = () => {
    const probe = format.make(tally.sent + 1);
    // As little as possible is between reading the clock and the system call.
    const sentAt = now();
    format.stamp(probe, sentAt);
    const errno = link.send(probe);
    const sequence = tally.send(sentAt);
    log.sent(sentAt);
    if (errno !== 0) failed(sequence, errno);
  };
  const report = (done = false) => {
    const { events, bytes } = log.takeAll();
    reportDue = Infinity;
    scope.postMessage(
      { events, bytes, ...(done && { done }), ...(done && ending && { ending }) },
      [events.buffer, bytes.buffer],
    );
    reported++;
    for (let seen; !done && reported - (seen = Atomics.load(taken, 0)) > MOST_REPORTS;) Atomics.wait(taken, 0, seen, 1000);
  };
  const rest = (until: number) => {
    if (log.count > 0) {
      const time = now();
      if (reportDue === Infinity) reportDue = time + REPORT_AFTER;
      // Not while the answer to the last probe may come at any moment.
      const idle = answered === tally.sent && until - time > SPARE_TIME;
      if (idle || time >= reportDue || log.size > LARGEST_REPORT) report();
    }
    poll.watch(SOCKET, link.events);
    poll.wait(Math.min(until, reportDue) - now());
    const happened = poll.happened(SOCKET);
    if (happened !== 0) link.take(happened);
    if (poll.happened(WAKEUP) !== 0 && wakeup.take() > 0) over = true;
  };

  await runSchedule(pace, { tally, now, isOver: () => over, launch, rest });
  report(true);
  libc.close();
}
