/**
 * A UDP socket under load, by its descriptor.
 *
 * @module
 */

import { describeCause } from "../../../../lib/errors.ts";
import { type DatagramBatch, NAME_STRIDE } from "../../../../lib/native/datagram_batch.ts";
import { countDropped, setOption } from "../../../../lib/native/inet_socket.ts";
import { type Libc, systemError } from "../../../../lib/native/libc.ts";
import { LINUX } from "../../../../lib/native/linux.ts";
import { portOfSockaddr } from "../../../../lib/native/sockaddr_in.ts";
import { EndpointError } from "../../../../lib/transport/mod.ts";
import { countCause } from "../counters.ts";
import { MessageExchange } from "../exchange/message_exchange.ts";
import { isSame } from "../exchange/noise.ts";
import { MOST_AT_ONCE } from "../pacer.ts";
import { isNobody, type Link, type LinkEnd, type SharedLoad } from "../link.ts";
import type { DatagramBuffers } from "./datagram_buffers.ts";
import type { Sender, SocketLoop, Watcher } from "./socket_loop.ts";

const { EPOLLERR, EPOLLIN, EPOLLOUT } = LINUX;

/**
 * A UDP socket under load. It is connected (connect(2)), which saves the system work, once the server has answered from the
 * address that it was asked at. One that is bound to every address may answer from another, but from the same port.
 */
export class NativeDatagramLink implements Link, Watcher, Sender {
  readonly finished: Promise<LinkEnd>;
  readonly partialBytes = 0;

  #loop: SocketLoop;
  #buffers: DatagramBuffers;
  #fd: number;
  #load: SharedLoad;
  #exchange: MessageExchange;
  #waiting = 0;
  #isQueued = false;
  #isConnected = false;
  /** Whether the socket took less than it was to send, and is waited for. */
  #isFull = false;
  #over = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a socket under load.
   *
   * @param loop The loop that it belongs to.
   * @param buffers What it receives into and sends from.
   * @param fd The descriptor of a socket that is not connected, which this closes.
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor(
    loop: SocketLoop,
    buffers: DatagramBuffers,
    fd: number,
    load: SharedLoad,
    dueAt: (index: number) => number,
  ) {
    this.finished = this.#finished.promise;
    this.#loop = loop;
    this.#buffers = buffers;
    this.#fd = fd;
    this.#load = load;
    this.#exchange = new MessageExchange(load, dueAt);
  }

  get answered(): boolean {
    return this.#exchange.answered;
  }

  get begun(): number {
    return this.#exchange.begun;
  }

  start(): void {
    this.#loop.watch(this.#fd, EPOLLIN, this);
  }

  push(count: number): void {
    this.#waiting += count;
    if (this.#isQueued || this.#isFull || count === 0) return;
    this.#isQueued = true;
    this.#loop.flushSoon(this);
  }

  flush(): void {
    this.#isQueued = false;
    this.#send(performance.now());
  }

  ready(happened: number): void {
    if (happened & EPOLLOUT) {
      this.#isFull = false;
      this.#loop.change(this.#fd, EPOLLIN);
      this.#send(performance.now());
    }
    // Errors are told by receiving.
    if ((happened & ~EPOLLOUT) === 0) return;
    // A load that is behind sends as many at once: whoever receives less does not keep up with the answers.
    for (let left = MOST_AT_ONCE; left > 0 && this.#receive(); left -= this.#buffers.received.capacity);
    // They are told once, but wait until they are taken.
    if (happened & EPOLLERR) {
      while (
        !this.#over && this.#buffers.received.receive(this.#fd, LINUX.MSG_ERRQUEUE) > 0
      );
    }
  }

  watch(now: number): void {
    this.push(this.#exchange.follow(this.#exchange.expire(now), now));
  }

  end(): Promise<void> {
    this.cut();
    return Promise.resolve();
  }

  cut(why?: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#load.counters.counts.dropped += countDropped(this.#loop.libc, this.#fd);
    this.#finished.resolve(why);
    this.#loop.close(this.#fd);
    this.#loop.yieldSoon();
  }

  abandon(how: "lost" | "unfinished"): number {
    this.#exchange.abandon(how);
    return this.#waiting;
  }

  get #batch(): DatagramBatch {
    return this.#isConnected ? this.#buffers.sent : this.#buffers.sentTo;
  }

  /** Sends what waits, as many at once as there is room for. */
  #send(now: number): void {
    const batch = this.#batch;
    const { message } = this.#exchange;
    while (this.#waiting > 0 && !this.#over && !this.#isFull) {
      const count = Math.min(this.#waiting, batch.capacity);
      for (let i = 0; i < count; i++) {
        batch.payloads.set(message, i * batch.payload);
        this.#exchange.begin(now, batch.payloads, i * batch.payload);
      }
      this.#waiting -= count;
      this.#sendBatch(count);
    }
  }

  #sendBatch(count: number): void {
    for (let sent = 0; sent < count;) {
      const more = this.#batch.send(this.#fd, sent, count);
      if (more > 0) {
        sent += more;
        continue;
      }
      const error = systemError("sendmmsg", this.#loop.libc.errno());
      if (error.code !== "EAGAIN") {
        // It stays in flight until it is lost, so that a socket that cannot send does not try without a pause.
        sent++;
        this.#fail("send", error, !this.answered);
        if (!this.#over) continue;
      } else {
        this.#isFull = true;
        this.#loop.change(this.#fd, EPOLLIN | EPOLLOUT);
      }
      this.#exchange.undo(count - sent);
      this.#waiting += count - sent;
      return;
    }
  }

  /** Tells whether there may be more. */
  #receive(): boolean {
    if (this.#over) return false;
    const { received: batch, server } = this.#buffers;
    const count = batch.receive(this.#fd);
    if (count < 0) {
      const error = systemError("recvmmsg", this.#loop.libc.errno());
      if (error.code !== "EAGAIN") this.#fail("receive", error);
      return false;
    }
    const now = performance.now();
    const { answered: isKnown } = this;
    let answered = 0;
    for (let i = 0; i < count; i++) {
      if (!this.#isConnected && portOfSockaddr(batch.names, i * NAME_STRIDE) !== portOfSockaddr(server)) continue;
      answered += this.#exchange.take(batch.payloads, i * batch.payload, batch.length(i), now);
    }
    if (!isKnown && this.answered && isSame(batch.names, 0, server, 0, server.length)) this.#connect();
    this.#waiting += this.#exchange.follow(answered, now);
    if (this.#waiting > 0) this.#send(now);
    return count === batch.capacity;
  }

  #connect(): void {
    const { libc } = this.#loop, { server } = this.#buffers;
    this.#isConnected = libc.symbols.connect(this.#fd, server, server.length) === 0;
    if (this.#isConnected) askForErrors(libc, this.#fd, server, false);
  }

  /** Counts a failure, or ends the link where nobody is at the peer's address, or nothing could be sent from the first on. */
  #fail(what: "send" | "receive", error: unknown, forGood = false): void {
    if (forGood || isNobody(error)) return this.cut(new EndpointError("send to", this.#load.plan.endpoint, error));
    countCause(this.#load.counters.counts.refused, `cannot ${what}: ${describeCause(error)}`);
  }
}

/**
 * Asks that a socket is told what ICMP says of its datagrams, which one that is connected is told of in any case where nobody
 * is at the peer's address.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @param peer An address of its family, as the system takes it.
 * @param told Whether it is to be told.
 * @throws The system's error.
 */
export function askForErrors(libc: Libc, fd: number, peer: Uint8Array, told: boolean): void {
  const { IPPROTO_IP, IPPROTO_IPV6, IP_RECVERR, IPV6_RECVERR } = LINUX;
  if (peer[0] === LINUX.AF_INET6) setOption(libc, fd, IPPROTO_IPV6, IPV6_RECVERR, told ? 1 : 0);
  else setOption(libc, fd, IPPROTO_IP, IP_RECVERR, told ? 1 : 0);
}
