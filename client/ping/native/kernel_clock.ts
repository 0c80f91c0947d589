/**
 * The kernel's clock, by which it tells when a datagram was received.
 *
 * @module
 */

import type { Libc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";

/** How far apart two measurements of the same distance may be, in nanoseconds, before the clock counts as set meanwhile. */
const TOLERANCE = 20_000;

/** How often the distance is measured, to find one between whose two readings nothing came. */
const MEASUREMENTS = 8;

/**
 * Turns the times of `CLOCK_REALTIME` into those of the session. Both clocks run alike, slewing included: their distance
 * changes only where the time of day is set, or the machine sleeps.
 */
export class KernelClock {
  #libc: Libc;
  #now: () => number;
  /** `struct timespec { long sec; long nsec; }` on a system of 64 bits, in words of 32. */
  #time = new Uint32Array(new ArrayBuffer(16));
  #base = 0;
  #distance: number;

  /**
   * @param libc The C library, which must stay open as long as this.
   * @param now The clock of the session, in nanoseconds, which is a monotonic one.
   */
  constructor(libc: Libc, now: () => number) {
    this.#libc = libc;
    this.#now = now;
    this.#read();
    this.#base = this.#time[0]!;
    this.#distance = this.#measure();
  }

  /**
   * Tells whether the time of day was not set since this was last asked. To be asked after datagrams were received, and
   * before their times are turned.
   *
   * @returns Whether it was not.
   */
  isSteady(): boolean {
    if (Math.abs(this.#read() - this.#now() - this.#distance) < TOLERANCE) return true;
    // The thread may just have been held up in between.
    const before = this.#distance;
    this.#distance = this.#measure();
    return Math.abs(this.#distance - before) < TOLERANCE;
  }

  /**
   * Turns a time of the kernel's into one of the session.
   *
   * @param time Where there is a `struct timespec`.
   * @param at Where in it that begins.
   * @returns The time in nanoseconds since the session began.
   */
  turn(time: DataView, at: number): number {
    return this.#since(time.getUint32(at, true), time.getUint32(at + 8, true)) - this.#distance;
  }

  /** The readings that are closest together tell the distance best. */
  #measure(): number {
    let distance = 0, closest = Infinity;
    for (let i = 0; i < MEASUREMENTS; i++) {
      const before = this.#now(), time = this.#read(), after = this.#now();
      if (after - before >= closest) continue;
      closest = after - before;
      distance = time - (before + after) / 2;
    }
    return distance;
  }

  #read(): number {
    this.#libc.symbols.clock_gettime(LINUX.CLOCK_REALTIME, this.#time);
    return this.#since(this.#time[0]!, this.#time[2]!);
  }

  /** Nanoseconds since 1970 are too many for a number to hold them all. */
  #since(seconds: number, ns: number): number {
    return (seconds - this.#base) * 1e9 + ns;
  }
}
