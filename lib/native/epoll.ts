/**
 * Waiting for many sockets at once, with epoll(7).
 *
 * @module
 */

import { type Libc, succeeded } from "./libc.ts";
import { LINUX } from "./linux.ts";

/**
 * `struct epoll_event { __u32 events; __u64 data; }` of `linux/eventpoll.h`, which is packed on x86-64 only, in words of 32
 * bits: how many it has, and where the data begin.
 */
const [WORDS, DATA] = Deno.build.arch === "x86_64" ? [3, 1] : [4, 2];

/** How many events one wait may bring. */
const MOST_EVENTS = 512;

/** Descriptors that are waited for at once. Whoever adds one closes it, which also ends the waiting for it. */
export class Epoll implements Disposable {
  #libc: Libc;
  #epoll: number;
  #wait: Libc["symbols"]["epoll_wait"];
  #events = new Uint32Array(new ArrayBuffer(MOST_EVENTS * WORDS * 4));
  #event = new Uint32Array(new ArrayBuffer(WORDS * 4));

  /**
   * @param libc The C library, which must stay open as long as this.
   * @throws The system's error where there is none to be had.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#wait = libc.symbols.epoll_wait;
    this.#epoll = succeeded(libc, "epoll_create1", libc.symbols.epoll_create1(LINUX.EPOLL_CLOEXEC));
  }

  /**
   * Waits for a descriptor from now on.
   *
   * @param fd The descriptor.
   * @param events What to wait for, such as `EPOLLIN`; errors and the end come in any case.
   * @param tag What to tell with each event: 32 bits.
   * @throws The system's error.
   */
  add(fd: number, events: number, tag = 0): void {
    this.#control(LINUX.EPOLL_CTL_ADD, fd, events, tag);
  }

  /**
   * Waits for something else of a descriptor.
   *
   * @param fd The descriptor.
   * @param events What to wait for.
   * @param tag What to tell with each event: 32 bits.
   * @throws The system's error.
   */
  change(fd: number, events: number, tag = 0): void {
    this.#control(LINUX.EPOLL_CTL_MOD, fd, events, tag);
  }

  /**
   * Waits for a descriptor no more, though it stays open.
   *
   * @param fd The descriptor.
   * @throws The system's error.
   */
  remove(fd: number): void {
    this.#control(LINUX.EPOLL_CTL_DEL, fd, 0, 0);
  }

  /**
   * Waits until something happens.
   *
   * @param timeout The longest to wait, in whole milliseconds; -1 for as long as it takes.
   * @returns How many events there are; 0 where the time was over first, or a signal came.
   * @throws The system's error.
   */
  wait(timeout: number): number {
    const count = this.#wait(this.#epoll, this.#events, MOST_EVENTS, timeout);
    if (count >= 0) return count;
    // EINTR is all that can be.
    return 0;
  }

  /** The descriptor of one of the events, from 0 on. */
  fd(index: number): number {
    return this.#events[index * WORDS + DATA]!;
  }

  /** The tag of one of the events. */
  tag(index: number): number {
    return this.#events[index * WORDS + DATA + 1]!;
  }

  /** What has happened, of one of the events: `EPOLLIN` and others, put together. */
  happened(index: number): number {
    return this.#events[index * WORDS]!;
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#epoll);
  }

  #control(operation: number, fd: number, events: number, tag: number): void {
    this.#event[0] = events;
    this.#event[DATA] = fd;
    this.#event[DATA + 1] = tag;
    const { symbols } = this.#libc;
    succeeded(this.#libc, "epoll_ctl", symbols.epoll_ctl(this.#epoll, operation, fd, this.#event));
  }
}
