/**
 * The main file of the thread of a ping session, which lives in the system calls.
 *
 * @module
 */

import { openLibc } from "../../../lib/native/libc.ts";
import { addressOfSocket, bindSocket, type InetSocketType, setOption } from "../../../lib/native/inet_socket.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { encodeSockaddr } from "../../../lib/native/sockaddr_in.ts";
import { Wakeup } from "../../../lib/native/wakeup.ts";
import { ProbeFormat } from "../probe.ts";
import { type Pace, runSchedule } from "../schedule.ts";
import { PingTally } from "../tally.ts";
import { EventLog } from "./event_log.ts";
import type { LinkSession } from "./link.ts";
import type { Ending, FromThread, Order, ToThread } from "./messages.ts";
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

/** Both what it waits for, by their places. */
const SOCKET = 0, WAKEUP = 1;

/** What this file uses of a worker's global scope, for which the type checker has no library here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToThread>) => void;
  postMessage(message: FromThread, transfer?: Transferable[]): void;
};

scope.onmessage = async ({ data }) => {
  if (typeof data !== "string") return await run(data, (report, transfer) => scope.postMessage(report, transfer));
  try {
    await rehearse(data);
  } catch {
    // A machine without 127.0.0.1 does without.
  }
  scope.postMessage("ready");
};
/** How the session of a rehearsal goes: as fast as answers come, to get through soon. */
const REHEARSAL: Pace = { interval: 0, flood: false, count: 2000, wait: 10 };

/** How long a rehearsal may take, in nanoseconds. */
const LONGEST_REHEARSAL = 200e6;

/**
 * Runs a session with a socket that talks to itself, so that the first probes do not find code that is not compiled yet: that
 * would be a part of what is measured.
 */
async function rehearse(type: InetSocketType): Promise<void> {
  const libc = openLibc()!;
  using wakeup = new Wakeup(libc);
  const fd = bindSocket(libc, type, { hostname: "127.0.0.1", port: 0 });
  const sockaddr = encodeSockaddr(libc, addressOfSocket(libc, fd));
  // A stream that connects to its own address is connected at once (RFC 9293, section 3.5, "simultaneous open").
  if (type === "stream") {
    setOption(libc, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, 1);
    libc.symbols.connect(fd, sockaddr, sockaddr.length);
  }
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const order = { fd, wakeup: wakeup.fd, taken, size: 64, id: "self", pace: REHEARSAL };
  await run({ ...order, ...(type === "datagram" && { sockaddr }) }, () => {}, LONGEST_REHEARSAL);
  libc.symbols.close(fd);
  libc.close();
}

async function run(order: Order, tell: typeof scope.postMessage, endBy = Infinity): Promise<void> {
  const { fd, sockaddr, wakeup: wakeupFd, taken, size, id, pace } = order;
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

  const launch = (until: number) => {
    // What is done once the probe is out is done before it, too: so that its code and data are in the processor's caches.
    look(0);
    const probe = format.make(tally.sent + 1);
    poll.watch(SOCKET, link.events);
    const time = now();
    // Not so long that what happened is reported too late.
    poll.setTimeout(Math.min(until - time, REPORT_AFTER));
    // Nothing is between reading the clock and the system call, nor between that and waiting: on a processor that the peer
    // shares, it waits as long.
    const sentAt = now();
    format.stamp(probe, sentAt);
    const errno = link.send(probe);
    poll.wait();
    link.read(poll.happened(SOCKET));
    const sequence = tally.send(sentAt);
    log.sent(sentAt);
    if (errno !== 0) failed(sequence, errno);
    take();
  };
  const report = (done = false) => {
    const { events, bytes } = log.takeAll();
    reportDue = Infinity;
    tell(
      { events, bytes, ...(done && { done }), ...(done && ending && { ending }) },
      [events.buffer, bytes.buffer],
    );
    reported++;
    // The rehearsal's are taken by nobody, and few.
    for (let seen; !done && reported - (seen = Atomics.load(taken, 0)) > MOST_REPORTS;) {
      Atomics.wait(taken, 0, seen, 1000);
    }
  };
  const rest = (until: number) => {
    if (log.count > 0) {
      const time = now();
      if (reportDue === Infinity) reportDue = time + REPORT_AFTER;
      // Not while the answer to the last probe may come at any moment.
      const idle = answered === tally.sent && until - time > SPARE_TIME;
      if (idle || time >= reportDue || log.size > LARGEST_REPORT) report();
    }
    look(Math.min(until, reportDue) - now());
  };
  const look = (ns: number) => {
    poll.watch(SOCKET, link.events);
    poll.setTimeout(ns);
    poll.wait();
    link.read(poll.happened(SOCKET));
    take();
  };
  const take = () => {
    link.tell();
    if (poll.happened(WAKEUP) !== 0 && wakeup.take() > 0) over = true;
  };

  await runSchedule(pace, { tally, now, isOver: () => over || now() >= endBy, launch, rest });
  report(true);
  libc.close();
}
