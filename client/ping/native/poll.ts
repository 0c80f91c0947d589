/**
 * Waiting for a few descriptors, to the microsecond, with ppoll(2).
 *
 * @module
 */

import type { Libc } from "../../../lib/native/libc.ts";

/** `POLLIN` and others of `asm-generic/poll.h`, the same as `EPOLLIN` and others. */
export const POLL = { in: 0x1, out: 0x4, error: 0x8 } as const;

/** The longest that can be waited at once, in nanoseconds. */
const LONGEST = 1e9 * 0x7fffffff;

/** Waits for a few descriptors. */
export class Poll {
  #libc: Libc;
  /** `struct pollfd { int fd; short events; short revents; }` of poll(2), in words of 32 bits. */
  #fds: Int32Array<ArrayBuffer>;
  #count: bigint;
  /** `struct timespec { long sec; long nsec; }` on a system of 64 bits, in words of 32: the upper halves stay 0. */
  #timeout = new Int32Array(new ArrayBuffer(16));

  /**
   * @param libc The C library, which must stay open as long as this.
   * @param fds The descriptors, which are waited for to become readable.
   */
  constructor(libc: Libc, fds: readonly number[]) {
    this.#libc = libc;
    this.#fds = new Int32Array(fds.flatMap((fd) => [fd, POLL.in]));
    this.#count = BigInt(fds.length);
  }

  /**
   * Sets what a descriptor is waited for; errors and the end come in any case.
   *
   * @param index Which descriptor.
   * @param events `POLL.in` and others, put together.
   */
  watch(index: number, events: number): void {
    this.#fds[2 * index + 1] = events;
  }

  /**
   * Sets how long to wait.
   *
   * @param ns The longest, in nanoseconds; 0 or less to look only.
   */
  setTimeout(ns: number): void {
    const bounded = Math.max(0, Math.min(ns, LONGEST));
    const seconds = Math.floor(bounded / 1e9);
    this.#timeout[0] = seconds;
    this.#timeout[2] = bounded - seconds * 1e9;
  }

  /** Waits until something happens. */
  wait(): void {
    this.#libc.symbols.ppoll(this.#fds, this.#count, this.#timeout, null);
  }

  /**
   * Tells what has happened.
   *
   * @param index Which descriptor.
   * @returns `POLL.in` and others, put together; 0 where nothing has.
   */
  happened(index: number): number {
    return this.#fds[2 * index + 1]! >>> 16;
  }
}
