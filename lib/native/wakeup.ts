/**
 * Waking a thread that waits in a system call, with eventfd(2).
 *
 * @module
 */

import { type Libc, succeeded } from "./libc.ts";
import { LINUX } from "./linux.ts";

/** A counter that can be waited for. One thread makes it, and others may use its descriptor. */
export class Wakeup implements Disposable {
  /** Its descriptor, which can be read while it was woken since. */
  readonly fd: number;
  #libc: Libc;
  #count = new BigUint64Array(new ArrayBuffer(8));

  /**
   * @param libc The C library, which must stay open as long as this.
   * @param fd The descriptor of one that another thread has made. Default: a new one.
   * @throws The system's error where there is none to be had.
   */
  constructor(libc: Libc, fd?: number) {
    this.#libc = libc;
    this.fd = fd ??
      succeeded(libc, "eventfd", libc.symbols.eventfd(0, LINUX.EFD_NONBLOCK | LINUX.EFD_CLOEXEC));
  }

  /** Wakes whoever waits for it. */
  wake(): void {
    this.#count[0] = 1n;
    this.#libc.symbols.write(this.fd, this.#count, 8n);
  }

  /**
   * Takes what has come.
   *
   * @returns How often it was woken since.
   */
  take(): number {
    return this.#libc.symbols.read(this.fd, this.#count, 8n) === 8 ? Number(this.#count[0]) : 0;
  }

  /** Closes its descriptor, for every thread. */
  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.fd);
  }
}
