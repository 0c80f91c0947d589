/**
 * A TCP connection under load, by its descriptor.
 *
 * @module
 */

import { describeCause } from "../../../../lib/errors.ts";
import { systemError } from "../../../../lib/native/libc.ts";
import { LINUX } from "../../../../lib/native/linux.ts";
import { formatDuration } from "../../../../lib/units.ts";
import { waitAtMost } from "../../../../lib/wait_at_most.ts";
import { LONGEST_PIECE } from "../exchange/noise.ts";
import { StreamExchange } from "../exchange/stream_exchange.ts";
import { CLOSE_TIMEOUT, CLOSED, type Link, type LinkEnd, type SharedLoad } from "../link.ts";
import type { Sender, SocketLoop, Watcher } from "./socket_loop.ts";
import type { StreamBuffers } from "./stream_buffers.ts";

const { EPOLLIN, EPOLLOUT, SHUT_WR } = LINUX;

/** A TCP connection under load. */
export class NativeStreamLink implements Link, Watcher, Sender {
  readonly finished: Promise<LinkEnd>;

  #loop: SocketLoop;
  #buffers: StreamBuffers;
  #fd: number;
  #exchange: StreamExchange;
  #timeout: number;
  /** Messages that are pushed at the next flush. */
  #waiting = 0;
  /** Whether the socket took less than it was to send, and is waited for. */
  #isFull = false;
  #canWrite = true;
  #writeFailure: string | undefined;
  #ending = false;
  #over = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a connection under load.
   *
   * @param loop The loop that it belongs to.
   * @param buffers What it reads into, and writes.
   * @param fd The descriptor of a connected socket, which this closes.
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor(
    loop: SocketLoop,
    buffers: StreamBuffers,
    fd: number,
    load: SharedLoad,
    dueAt: (index: number) => number,
  ) {
    this.finished = this.#finished.promise;
    this.#loop = loop;
    this.#buffers = buffers;
    this.#fd = fd;
    this.#exchange = new StreamExchange(load, dueAt);
    this.#timeout = load.plan.timeout;
  }

  get answered(): boolean {
    return this.#exchange.answered;
  }

  get begun(): number {
    return this.#exchange.begun;
  }

  get partialBytes(): number {
    return this.#exchange.partialBytes;
  }

  start(): void {
    this.#loop.watch(this.#fd, EPOLLIN, this);
  }

  push(count: number): void {
    if (this.#waiting === 0 && count > 0) this.#loop.flushSoon(this);
    this.#waiting += count;
  }

  /** Without a rate, messages are due now: until all links have got their first ones some time may go by. */
  flush(): void {
    this.#exchange.push(this.#waiting, performance.now());
    this.#waiting = 0;
    if (!this.#isFull) this.#write();
  }

  ready(happened: number): void {
    if (happened & EPOLLOUT) {
      this.#isFull = false;
      this.#loop.change(this.#fd, EPOLLIN);
      this.#exchange.heard = performance.now();
      this.#write();
    }
    // Errors and the end are found by reading.
    if (happened & ~EPOLLOUT) this.#read();
  }

  watch(now: number): void {
    const { isOwed, heard } = this.#exchange;
    if (isOwed && now - heard > this.#timeout) this.cut(`no answer for ${formatDuration(this.#timeout)}`);
  }

  async end(): Promise<void> {
    // What is in flight now would not be counted.
    if (this.#exchange.isOwed || this.#over) return this.cut();
    this.#ending = true;
    this.#loop.libc.symbols.shutdown(this.#fd, SHUT_WR);
    await waitAtMost(CLOSE_TIMEOUT, this.finished);
    this.cut();
  }

  cut(why?: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#canWrite = false;
    this.#finished.resolve(why);
    this.#loop.close(this.#fd);
    this.#loop.yieldSoon();
  }

  abandon(how: "lost" | "unfinished"): number {
    return this.#exchange.abandon(how) + this.#waiting;
  }

  #write(): void {
    const exchange = this.#exchange;
    while (exchange.unwritten > 0 && this.#canWrite) {
      const length = Math.min(exchange.unwritten, LONGEST_PIECE);
      exchange.hand(length);
      const written = this.#buffers.write(this.#fd, exchange.writeAt, length);
      if (written >= 0) {
        exchange.wrote(written);
        continue;
      }
      const error = systemError("writev", this.#loop.libc.errno());
      if (error.code === "EAGAIN") {
        this.#isFull = true;
        return this.#loop.change(this.#fd, EPOLLIN | EPOLLOUT);
      }
      // What has come before is still to be read. Of a reset only one call is told.
      this.#canWrite = false;
      if (error.code !== "EPIPE") this.#writeFailure = describeCause(error);
    }
  }

  #read(): void {
    const length = this.#buffers.read(this.#fd);
    if (length > 0) {
      const fault = this.#exchange.take(this.#buffers.received, length);
      if (fault !== undefined) return this.cut(fault);
      if (!this.#isFull && this.#exchange.unwritten > 0) this.#write();
      return;
    }
    if (length === 0) return this.cut(this.#ending ? undefined : this.#writeFailure ?? CLOSED);
    const error = systemError("readv", this.#loop.libc.errno());
    if (error.code !== "EAGAIN") this.cut(this.#ending ? undefined : describeCause(error));
  }
}
