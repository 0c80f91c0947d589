/**
 * Sockets of datagrams: received, looked at and answered in batches.
 *
 * @module
 */

import { describeCause } from "../../lib/errors.ts";
import { DatagramBatch, NAME_STRIDE } from "../../lib/native/datagram_batch.ts";
import { getOption, setOption } from "../../lib/native/inet_socket.ts";
import { errnoCode, systemError } from "../../lib/native/libc.ts";
import { LINUX } from "../../lib/native/linux.ts";
import { decodeSockaddr } from "../../lib/native/sockaddr_in.ts";
import type { InetAddress } from "../../lib/transport/mod.ts";
import { QuietWatch } from "../drain.ts";
import type { DatagramGuard, DatagramRefusal } from "../guard/datagram_guard.ts";
import { BatchSender } from "./batch_sender.ts";
import { COUNTED, REFUSALS } from "./shared_counters.ts";
import { TAG, type WorkerThread } from "./thread.ts";

/** How many datagrams a turn may take from a socket, and how long each may be: the longest that IP carries. */
const BATCH = { capacity: 64, payload: 65_536 };

/** Room for where a datagram was sent to: `struct in6_pktinfo` behind its header, the larger of the two. */
const PACKET_INFO = 40;

/** How many errors are taken at once, with how much of the datagram, and with `struct sock_extended_err` and an address. */
const ERRORS = { capacity: 8, payload: 64, control: 128 };

/** How often a datagram is tried that could not be sent for the sake of others. */
const MOST_ATTEMPTS = 64;

/** A socket that is served. */
interface Socket {
  index: number;
  fd: number;
  six: boolean;
  batch: DatagramBatch;
  sender: BatchSender;
  /** Which datagrams of the batch are still to be sent: from the next one to the one behind the last. */
  next: number;
  end: number;
  /** Which of the batch are not to be answered. */
  refused: Uint8Array;
  blocked: boolean;
  closed: boolean;
}

/** Serves the sockets of datagrams of a worker. */
export class Datagrams {
  #thread: WorkerThread;
  #guard: DatagramGuard;
  #sockets = new Map<number, Socket>();
  #errors: DatagramBatch;
  #quiet: QuietWatch<Socket> | undefined;

  /**
   * @param thread What the rooms of the worker share.
   * @param guard Which datagrams not to answer.
   */
  constructor(thread: WorkerThread, guard: DatagramGuard) {
    const { libc, epoll } = thread;
    this.#thread = thread;
    this.#guard = guard;
    this.#errors = new DatagramBatch(libc, ERRORS);
    for (const [index, { fd, type, addr }] of thread.endpoints.entries()) {
      if (type !== "datagram") continue;
      const six = addr.hostname.includes(":");
      // Such a socket has the address of each that it was sent to; one that is bound to one address answers from that.
      const every = addr.hostname === "::" || addr.hostname === "0.0.0.0";
      setOption(libc, fd, LINUX.IPPROTO_IP, LINUX.IP_RECVERR, 1);
      if (six) setOption(libc, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVERR, 1);
      const batch = new DatagramBatch(libc, { ...BATCH, control: every ? PACKET_INFO : 0 });
      const sender = new BatchSender(libc, batch);
      const refused = new Uint8Array(BATCH.capacity);
      const socket = { index, fd, six, batch, sender, next: 0, end: 0, refused, blocked: false, closed: false };
      this.#sockets.set(index, socket);
      epoll.add(fd, LINUX.EPOLLIN, index << 2 | TAG.datagrams);
    }
  }

  /** Whether none of them is open. */
  get closed(): boolean {
    for (const { closed } of this.#sockets.values()) if (!closed) return false;
    return true;
  }

  /**
   * Serves a socket of which something is told.
   *
   * @param index The number of the endpoint.
   * @param happened What has happened.
   */
  serve(index: number, happened: number): void {
    const socket = this.#sockets.get(index)!;
    if (socket.closed) return;
    // What is not in the queue of errors is taken by asking for it, lest it be told for ever.
    if ((happened & LINUX.EPOLLERR) !== 0 && !this.#takeErrors(socket)) {
      getOption(this.#thread.libc, socket.fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR);
    }
    if (socket.blocked) {
      if ((happened & LINUX.EPOLLOUT) !== 0) this.#send(socket);
    } else if ((happened & LINUX.EPOLLIN) !== 0) this.#receive(socket);
  }

  /** Closes those on which nothing waits; to be called again and again where the server stops. */
  drain(): void {
    this.#quiet ??= new QuietWatch();
    for (const socket of this.#sockets.values()) {
      if (!socket.closed && this.#quiet.isQuiet(socket, socket.blocked, 0)) this.#close(socket);
    }
  }

  /** Closes all at once. */
  close(): void {
    for (const socket of this.#sockets.values()) this.#close(socket);
  }

  #close(socket: Socket): void {
    if (socket.closed) return;
    socket.closed = true;
    this.#thread.epoll.remove(socket.fd);
  }

  #receive(socket: Socket): void {
    const { libc, once, shared } = this.#thread;
    const { batch, refused } = socket;
    const count = batch.receive(socket.fd);
    if (count < 0) {
      const code = errnoCode(libc.errno());
      // Any other is that of a datagram that was sent before, of which the queue of errors tells.
      if (code !== "EAGAIN" && code !== "EINTR") this.#takeErrors(socket);
      return;
    }
    socket.next = 0;
    socket.end = count;
    for (let i = 0; i < count; i++) {
      const refusal = this.#refusal(socket, i);
      refused[i] = refusal === undefined ? 0 : 1;
      if (refusal !== undefined) this.#refuse(socket, i, refusal);
      else if (once) {
        // There will be no other.
        socket.next = i;
        socket.end = i;
        if (!shared.claimFirst()) break;
        socket.end++;
        this.#thread.begin();
        break;
      }
    }
    this.#send(socket);
  }

  #refusal({ batch, sender }: Socket, index: number): DatagramRefusal | undefined {
    sender.index = index;
    const from = index * batch.payload;
    const length = batch.length(index);
    batch.setLength(index, length);
    return this.#guard.refuseWithin(batch.payloads, from, from + length, sender);
  }

  /** Sends what is to be sent of the batch, as much at once as there is between two that are not answered. */
  #send(socket: Socket): void {
    const { libc, epoll } = this.#thread;
    const { fd, batch, refused, index } = socket;
    let attempts = 0;
    while (socket.next < socket.end) {
      const from = socket.next;
      if (refused[from] === 1) {
        socket.next++;
        continue;
      }
      let to = from + 1;
      while (to < socket.end && refused[to] === 0) to++;
      if (batch.control > 0) { for (let i = from; i < to; i++) answerFromWhereAsked(batch, i, socket.six); }
      const sent = batch.send(fd, from, to);
      if (sent > 0) {
        socket.next = from + sent;
        attempts = 0;
        this.#answered(socket, from, socket.next);
        continue;
      }
      const errno = libc.errno();
      const code = errnoCode(errno);
      if (code === "EINTR") continue;
      if (code === "EAGAIN" && !socket.closed) {
        if (!socket.blocked) epoll.change(fd, LINUX.EPOLLOUT, index << 2 | TAG.datagrams);
        socket.blocked = true;
        return;
      }
      // It may be the error of others, which were sent before, and more may come meanwhile: this one can be sent all the same.
      if (this.#takeErrors(socket) && ++attempts < MOST_ATTEMPTS) continue;
      socket.next++;
      attempts = 0;
      this.#fail(socket, batch, from, errno);
    }
    if (socket.blocked && !socket.closed) epoll.change(fd, LINUX.EPOLLIN, index << 2 | TAG.datagrams);
    socket.blocked = false;
    if (this.#thread.once && socket.closed) this.#thread.end();
  }

  #answered(socket: Socket, from: number, to: number): void {
    const { row, outbox, now } = this.#thread;
    const { batch, index, sender } = socket;
    let bytes = 0;
    for (let i = from; i < to; i++) {
      const length = batch.length(i);
      bytes += length;
      if (!outbox.wants("echoed", now, length)) continue;
      const message = batch.payloads.slice(i * batch.payload, i * batch.payload + length);
      sender.index = i;
      outbox.add(
        { type: "echoed", endpoint: index, connection: undefined, peer: sender.address(), message, offset: 0 },
        now,
      );
    }
    row[COUNTED.messages]! += to - from;
    row[COUNTED.bytes]! += bytes;
  }

  #refuse({ index, sender }: Socket, at: number, reason: DatagramRefusal): void {
    const { row, outbox, now } = this.#thread;
    row[COUNTED.refused + REFUSALS.indexOf(reason)]!++;
    if (!outbox.wants("refused", now)) return;
    sender.index = at;
    outbox.add({ type: "refused", endpoint: index, peer: sender.address(), reason }, now);
  }

  /** Tells of datagrams that could not be delivered, as ICMP has told; tells whether there was any. */
  #takeErrors(socket: Socket): boolean {
    let any = false;
    for (let count; (count = this.#errors.receive(socket.fd, LINUX.MSG_ERRQUEUE)) > 0; any = true) {
      for (let i = 0; i < count; i++) {
        // A socket of IPv6 has those of IPv4 as well.
        let at = this.#errors.findControl(i, LINUX.IPPROTO_IP, LINUX.IP_RECVERR);
        if (at < 0) at = this.#errors.findControl(i, LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVERR);
        // struct sock_extended_err of linux/errqueue.h begins with the error.
        const errno = at < 0 ? 0 : new DataView(this.#errors.controls.buffer).getUint32(at, true);
        this.#fail(socket, this.#errors, i, errno);
      }
    }
    return any;
  }

  #fail(socket: Socket, batch: DatagramBatch, index: number, errno: number): void {
    const { libc, outbox, now } = this.#thread;
    if (!outbox.wants("failed", now)) return;
    const peer: InetAddress = { transport: "udp", ...decodeSockaddr(libc, batch.names, index * NAME_STRIDE) };
    const cause = describeCause(systemError("send", errno));
    outbox.add({ type: "failed", endpoint: socket.index, operation: "send", peer, cause }, now);
  }
}

/**
 * Lets an answer leave from the address that was asked: what the kernel tells of a datagram (`struct in_pktinfo`, `struct
 * in6_pktinfo` of ip(7) and ipv6(7)) is what it takes for the answer, but for the interface, which routing is to choose.
 */
function answerFromWhereAsked(batch: DatagramBatch, index: number, six: boolean): void {
  const { controls } = batch;
  if (!six) {
    const at = batch.findControl(index, LINUX.IPPROTO_IP, LINUX.IP_PKTINFO);
    if (at >= 0) controls.fill(0, at, at + 4);
    return;
  }
  const at = batch.findControl(index, LINUX.IPPROTO_IPV6, LINUX.IPV6_PKTINFO);
  if (at < 0) return;
  controls.fill(0, at + 16, at + 20);
  // Nothing comes from a multicast address (RFC 4291 section 2.7).
  if (controls[at] === 0xff) batch.setControlLength(index, 0);
}
