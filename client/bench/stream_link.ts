/**
 * A byte stream under load.
 *
 * @module
 */

import { describeCause } from "../../lib/errors.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import { formatDuration } from "../../lib/units.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import type { Course, LoadPlan } from "./schedule.ts";
import { CLOSED, type Link, MISMATCH, type Place, SURPLUS } from "./link.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";

/** The smallest read buffer, in bytes. */
const SMALLEST_BUFFER = 4096;

/** How many messages a read may find where their number under way is not limited. */
const BURST = 16;

/**
 * As many bytes under way always fit into the buffers of the sockets, so that waiting for a write cannot keep the server
 * from writing too.
 */
const ALWAYS_FITS = 16 * 1024;

/** How long to wait at the end for the server to close too, in milliseconds. */
const FAREWELL = 250;

/** A byte stream under load. What it sends is noise from a place of its own; what comes back must be the same. */
export class StreamLink implements Link {
  readonly finished: Promise<string | undefined>;

  #conn: StreamConn;
  #place: Place;
  #course: Course;
  #plan: LoadPlan;
  #noise: Uint8Array;
  #buffer: Uint8Array;
  /** Whether a write comes before each read, which then often finds the answer there: that saves system calls. */
  #inTurn: boolean;
  /** When the messages under way were due, where there is no rate. */
  #dues: Float64Array | undefined;
  #origin = Math.floor(Math.random() * PERIOD);
  /** Messages: before this connection, to be sent, answered. */
  #before: number;
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
  #finished = Promise.withResolvers<string | undefined>();

  /**
   * Puts a connection under load.
   *
   * @param conn The connection, which this closes.
   * @param place Its place.
   * @param course The course of the load.
   * @param plan The load.
   * @param noise What to send.
   */
  constructor(conn: StreamConn, place: Place, course: Course, plan: LoadPlan, noise: Uint8Array) {
    const { size, depth, rate } = plan;
    const burst = size * (rate === undefined ? depth : BURST);
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#place = place;
    this.#course = course;
    this.#plan = plan;
    this.#noise = noise;
    this.#buffer = new Uint8Array(Math.min(Math.max(burst, SMALLEST_BUFFER), LONGEST_PIECE));
    this.#inTurn = rate === undefined && burst <= ALWAYS_FITS;
    this.#dues = rate === undefined ? new Float64Array(depth) : undefined;
    this.#before = place.begun;
  }

  get answered(): boolean {
    return this.#received > 0;
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
    this.#ending = true;
    await waitAtMost(FAREWELL, this.#conn.closeWrite().then(() => this.#reading, () => {}));
    this.cut();
  }

  cut(cause?: string): void {
    this.#finished.resolve(cause);
    this.#canWrite = false;
    this.#ending = true;
    try {
      this.#conn.close();
    } catch {
      // It is closed already.
    }
  }

  abandon(lost: boolean): number {
    const begun = Math.ceil(this.#handed / this.#plan.size);
    if (lost) { for (let i = this.#done; i < begun; i++) this.#course.lose(this.#dueOf(i)); }
    this.#course.release(begun - this.#done);
    this.#place.begun = this.#before + begun;
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
    const course = this.#course;
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
    while (this.#done < done) course.answer(this.#dueOf(this.#done++), now);
    if (this.#dues && length <= owed) this.push(course.claim(done - before, now), now);
    course.release(done - before);
    return length > owed ? SURPLUS : undefined;
  }

  #dueOf(message: number): number {
    return this.#dues
      ? this.#dues[message % this.#dues.length]!
      : this.#course.dueAt(this.#place.number, this.#before + message);
  }
}
