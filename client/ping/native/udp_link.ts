/**
 * Probes as datagrams over UDP.
 *
 * @module
 */

import { DatagramBatch, NAME_STRIDE } from "../../../lib/native/datagram_batch.ts";
import { growReceiveBuffer, setOption } from "../../../lib/native/inet_socket.ts";
import { errnoCode, type Libc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { portOfSockaddr } from "../../../lib/native/sockaddr_in.ts";
import { isNobodyThere } from "../channel/ends.ts";
import { KernelClock } from "./kernel_clock.ts";
import type { Link, LinkSession } from "./link.ts";
import { POLL, Poll } from "./poll.ts";

/** Room for answers that come together, each a byte longer than any is. */
const ROOM = { capacity: 16, payload: 64 * 1024, control: 128 };

/** How large the receive buffer is to be, in bytes. */
const RECEIVE_BUFFER = 1024 * 1024;

/** How long to wait for room to send, in nanoseconds, before a probe is given up. */
const LONGEST_SEND = 100e6;

/**
 * Probes over a UDP socket that is not connected. The kernel tells when it received an answer, and what ICMP says of a probe
 * (IP_RECVERR of ip(7)).
 */
export class UdpLink implements Link {
  readonly events = POLL.in;
  #libc: Libc;
  #fd: number;
  #sockaddr: Uint8Array<ArrayBuffer>;
  #port: number;
  #session: LinkSession;
  #size: bigint;
  #batch: DatagramBatch;
  #controls: DataView;
  #clock: KernelClock;
  #recvErr: readonly [level: number, option: number];
  #poll: Poll;
  #count = 0;
  #readAt = 0;
  #hasErrors = false;

  /**
   * @param libc The C library, which must stay open as long as this.
   * @param fd The socket.
   * @param sockaddr Where probes go to.
   * @param session Whom to tell.
   */
  constructor(libc: Libc, fd: number, sockaddr: Uint8Array<ArrayBuffer>, session: LinkSession) {
    this.#libc = libc;
    this.#fd = fd;
    this.#sockaddr = sockaddr;
    this.#port = portOfSockaddr(sockaddr);
    this.#session = session;
    this.#size = BigInt(session.format.size);
    this.#batch = new DatagramBatch(libc, ROOM);
    this.#controls = new DataView(this.#batch.controls.buffer);
    this.#clock = new KernelClock(libc, session.now);
    this.#poll = new Poll(libc, [fd]);
    this.#poll.watch(0, POLL.out);
    this.#poll.setTimeout(LONGEST_SEND);
    this.#recvErr = sockaddr[0] === LINUX.AF_INET6
      ? [LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVERR]
      : [LINUX.IPPROTO_IP, LINUX.IP_RECVERR];
    growReceiveBuffer(libc, fd, RECEIVE_BUFFER);
    for (const [level, option] of [this.#recvErr, [LINUX.SOL_SOCKET, LINUX.SO_TIMESTAMPNS] as const]) {
      try {
        setOption(libc, fd, level, option, 1);
      } catch {
        // It does without.
      }
    }
  }

  send(probe: Uint8Array<ArrayBuffer>): number {
    let errno = this.#trySend(probe);
    if (errno === 0) return 0;
    // An error that waited was told in place of this probe's.
    this.#takeErrors();
    if (errnoCode(errno) === "EAGAIN") this.#poll.wait();
    errno = this.#trySend(probe);
    if (errno === 0 || !isNobodyThere(errnoCode(errno))) return errno;
    this.#session.end({ errno });
    return 0;
  }

  read(happened: number): void {
    this.#count = this.#batch.receive(this.#fd);
    this.#readAt = this.#session.now();
    this.#hasErrors = (happened & POLL.error) !== 0;
  }

  tell(): void {
    const batch = this.#batch, session = this.#session, readAt = this.#readAt, count = this.#count;
    const steady = count > 0 && this.#clock.isSteady();
    for (let i = 0; i < count; i++) {
      if (portOfSockaddr(batch.names, i * NAME_STRIDE) !== this.#port) continue;
      const from = i * batch.payload;
      const answer = batch.payloads.subarray(from, from + batch.length(i));
      const stamp = steady ? batch.findControl(i, LINUX.SOL_SOCKET, LINUX.SO_TIMESTAMPNS) : -1;
      const wakeup = stamp < 0 ? undefined : Math.max(0, readAt - this.#clock.turn(this.#controls, stamp));
      session.answered(answer, readAt, wakeup);
    }
    this.#count = 0;
    if (this.#hasErrors) this.#takeErrors();
    this.#hasErrors = false;
  }

  #trySend(probe: Uint8Array<ArrayBuffer>): number {
    const { sendto } = this.#libc.symbols;
    const flags = LINUX.MSG_DONTWAIT | LINUX.MSG_NOSIGNAL;
    const sent = sendto(this.#fd, probe, this.#size, flags, this.#sockaddr, this.#sockaddr.length);
    return sent < 0 ? this.#libc.errno() : 0;
  }

  /** Takes what ICMP, or the system itself, says of probes. It gives the probe back, as much of it as there is. */
  #takeErrors(): void {
    const batch = this.#batch, { format } = this.#session;
    for (let count; (count = batch.receive(this.#fd, LINUX.MSG_ERRQUEUE)) > 0;) {
      for (let i = 0; i < count; i++) {
        const at = batch.findControl(i, ...this.#recvErr);
        if (at < 0) continue;
        // `struct sock_extended_err` of `linux/errqueue.h` begins with the number of the error.
        const errno = this.#controls.getUint32(at, true);
        if (isNobodyThere(errnoCode(errno))) this.#session.end({ errno });
        const from = i * batch.payload;
        const sequence = format.numbered
          ? format.sequenceOf(batch.payloads.subarray(from, from + batch.length(i)))
          : undefined;
        if (sequence !== undefined) this.#session.failed(sequence, errno);
      }
    }
  }
}
