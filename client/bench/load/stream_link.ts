/**
 * A byte stream under load.
 *
 * @module
 */

import { describeCause } from "../../../lib/errors.ts";
import type { StreamConn } from "../../../lib/transport/mod.ts";
import { formatDuration } from "../../../lib/units.ts";
import { waitAtMost } from "../../../lib/wait_at_most.ts";
import type { LoadCounters } from "./counters.ts";
import { CLOSED, type Link, type LinkEnd, MISMATCH, type SharedLoad, SURPLUS } from "./link.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** The smallest read buffer, in bytes. */
const SMALLEST_BUFFER = 4096;

/** How many messages a read may find where their number in flight is not limited. */
const BURST = 16;

/**
 * As many bytes in flight always fit into the buffers of the sockets, so that waiting for a write cannot keep the server
 * from writing too.
 */
const ALWAYS_FITS = 16 * 1024;

/** How long to wait at the end for the server to close too, in milliseconds. */
const CLOSE_TIMEOUT = 250;

/** A byte stream under load. What it sends is noise from a random offset; what comes back must be the same. */
export class StreamLink implements Link {
  readonly finished: Promise<LinkEnd>;

  #conn: StreamConn;
  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #noise: Uint8Array;
  #dueAt: (index: number) => number;
  #buffer: Uint8Array;
  /** Whether a write comes before each read, which then often finds the answer there: that saves system calls. */
  #inTurn: boolean;
  /** When the messages in flight were due, where there is no rate. */
  #dues: Float64Array | undefined;
  #origin = Math.floor(Math.random() * PERIOD);
  /** Messages: to be sent, answered. */
  #pushed = 0;
  #done = 0;
  /** Bytes: given to a write, written, read. */
  #handed = 0;
  #written = 0;
  #received = 0;
  /** When the server last did something, or had nothing to do. */
  #heard = 0;
  #writing = false;
  #reading: Promise<void> | undefined;
  #canWrite = true;
  #ending = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a connection under load.
   *
   * @param conn The connection, which this closes.
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor(conn: StreamConn, { plan, schedule, counters, noise }: SharedLoad, dueAt: (index: number) => number) {
    const { size, depth, rate } = plan;
    const burst = size * (rate === undefined ? depth : BURST);
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#plan = plan;
    this.#schedule = schedule;
    this.#counters = counters;
    this.#noise = noise;
    this.#dueAt = dueAt;
    this.#buffer = new Uint8Array(Math.min(Math.max(burst, SMALLEST_BUFFER), LONGEST_PIECE));
    this.#inTurn = rate === undefined && burst <= ALWAYS_FITS;
    this.#dues = rate === undefined ? new Float64Array(depth) : undefined;
  }

  get answered(): boolean {
    return this.#received > 0;
  }

  get begun(): number {
    return Math.ceil(this.#handed / this.#plan.size);
  }

  get partialBytes(): number {
    const bytes = this.#received - this.#done * this.#plan.size;
    return bytes > 0 && this.#dueOf(this.#done) >= this.#schedule.measureFrom ? bytes : 0;
  }

  start(): void {
    this.#reading = this.#read();
  }

  push(count: number, now: number): void {
    if (count === 0) return;
    if (this.#pushed === this.#done) this.#heard = now;
    if (this.#dues) { for (let i = 0; i < count; i++) this.#dues[(this.#pushed + i) % this.#dues.length] = now; }
    this.#pushed += count;
    if (this.#inTurn || this.#writing || !this.#canWrite) return;
    this.#writing = true;
    this.#write();
  }

  watch(now: number): void {
    const { timeout } = this.#plan;
    if (this.#pushed > this.#done && now - this.#heard > timeout) this.cut(`no answer for ${formatDuration(timeout)}`);
  }

  async end(): Promise<void> {
    // What is in flight now would not be counted.
    if (this.#pushed > this.#done) return this.cut();
    this.#ending = true;
    await waitAtMost(CLOSE_TIMEOUT, this.#conn.closeWrite().then(() => this.#reading, () => {}));
    this.cut();
  }

  cut(why?: LinkEnd): void {
    this.#finished.resolve(why);
    this.#canWrite = false;
    this.#ending = true;
    try {
      this.#conn.close();
    } catch {
      // It is closed already.
    }
  }

  abandon(how: "lost" | "unfinished"): number {
    const { begun } = this;
    if (how === "unfinished") this.#counters.counts.unfinishedBytes += this.partialBytes;
    for (let i = this.#done; i < begun; i++) this.#counters.miss(how, this.#dueOf(i));
    this.#schedule.release(begun - this.#done);
    return this.#pushed - begun;
  }

  /** Takes the next piece of what is to be sent. */
  #nextPiece(): Uint8Array {
    const from = (this.#origin + this.#written) % PERIOD;
    const length = Math.min(this.#unwritten, LONGEST_PIECE);
    this.#handed = this.#written + length;
    return this.#noise.subarray(from, from + length);
  }

  get #unwritten(): number {
    return this.#pushed * this.#plan.size - this.#written;
  }

  async #write(): Promise<void> {
    try {
      while (this.#unwritten > 0) {
        this.#written += await this.#conn.write(this.#nextPiece());
        if (this.#unwritten > 0) this.#heard = performance.now();
      }
    } catch {
      // Reading meets the same end, and says why.
      this.#canWrite = false;
    }
    this.#writing = false;
  }

  async #read(): Promise<void> {
    try {
      while (true) {
        if (this.#inTurn && this.#canWrite) {
          // What #write() does, without a promise of its own for each message.
          try {
            while (this.#unwritten > 0) this.#written += await this.#conn.write(this.#nextPiece());
          } catch {
            this.#canWrite = false;
          }
        }
        const length = await this.#conn.read(this.#buffer);
        if (length === null) return this.cut(this.#ending ? undefined : CLOSED);
        const fault = this.#take(length);
        if (fault !== undefined) return this.cut(fault);
      }
    } catch (error) {
      this.cut(this.#ending ? undefined : describeCause(error));
    }
  }

  /** Takes what was read; returns what is wrong with it. */
  #take(length: number): string | undefined {
    const now = performance.now();
    const { size, verify } = this.#plan;
    const counters = this.#counters;
    const owed = this.#handed - this.#received;
    const taken = Math.min(length, owed);
    if (verify) {
      const from = (this.#origin + this.#received) % PERIOD;
      if (!isSame(this.#buffer.subarray(0, taken), this.#noise.subarray(from, from + taken))) return MISMATCH;
    }
    this.#heard = now;
    this.#received += taken;
    const before = this.#done;
    const done = Math.floor(this.#received / size);
    if (done === before) counters.lastAnswer = now;
    while (this.#done < done) counters.answer(this.#dueOf(this.#done++), now);
    if (this.#dues && length <= owed) this.push(this.#schedule.claim(done - before, now), now);
    this.#schedule.release(done - before);
    return length > owed ? SURPLUS : undefined;
  }

  #dueOf(message: number): number {
    return this.#dues ? this.#dues[message % this.#dues.length]! : this.#dueAt(message);
  }
}
