/**
 * A byte stream under load, over any transport.
 *
 * @module
 */

import { describeCause } from "../../../../lib/errors.ts";
import type { StreamConn } from "../../../../lib/transport/mod.ts";
import { formatDuration } from "../../../../lib/units.ts";
import { waitAtMost } from "../../../../lib/wait_at_most.ts";
import { LONGEST_PIECE } from "../exchange/noise.ts";
import { StreamExchange } from "../exchange/stream_exchange.ts";
import { CLOSE_TIMEOUT, CLOSED, type Link, type LinkEnd, type SharedLoad } from "../link.ts";

/** The smallest read buffer, in bytes. */
const SMALLEST_BUFFER = 4096;

/** How many messages a read may find where their number in flight is not limited. */
const BURST = 16;

/**
 * As many bytes in flight always fit into the buffers of the sockets, so that waiting for a write cannot keep the server
 * from writing too.
 */
const ALWAYS_FITS = 16 * 1024;

/** A byte stream under load. */
export class StreamLink implements Link {
  readonly finished: Promise<LinkEnd>;

  #conn: StreamConn;
  #exchange: StreamExchange;
  #noise: Uint8Array;
  #timeout: number;
  #buffer: Uint8Array;
  /** Whether a write comes before each read, which then often finds the answer there: that saves system calls. */
  #inTurn: boolean;
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
  constructor(conn: StreamConn, load: SharedLoad, dueAt: (index: number) => number) {
    const { size, depth, rate, timeout } = load.plan;
    const burst = size * (rate === undefined ? depth : BURST);
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#exchange = new StreamExchange(load, dueAt);
    this.#noise = load.noise;
    this.#timeout = timeout;
    this.#buffer = new Uint8Array(Math.min(Math.max(burst, SMALLEST_BUFFER), LONGEST_PIECE));
    this.#inTurn = rate === undefined && burst <= ALWAYS_FITS;
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
    this.#reading = this.#read();
  }

  push(count: number, now: number): void {
    this.#exchange.push(count, now);
    this.#writeSoon();
  }

  watch(now: number): void {
    const { isOwed, heard } = this.#exchange;
    if (isOwed && now - heard > this.#timeout) this.cut(`no answer for ${formatDuration(this.#timeout)}`);
  }

  async end(): Promise<void> {
    // What is in flight now would not be counted.
    if (this.#exchange.isOwed) return this.cut();
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
    return this.#exchange.abandon(how);
  }

  #writeSoon(): void {
    if (this.#inTurn || this.#writing || !this.#canWrite || this.#exchange.unwritten === 0) return;
    this.#writing = true;
    this.#write();
  }

  /** Takes the next piece of what is to be sent. */
  #nextPiece(): Uint8Array {
    const { writeAt, unwritten } = this.#exchange;
    const length = Math.min(unwritten, LONGEST_PIECE);
    this.#exchange.hand(length);
    return this.#noise.subarray(writeAt, writeAt + length);
  }

  async #write(): Promise<void> {
    const exchange = this.#exchange;
    try {
      while (exchange.unwritten > 0) {
        exchange.wrote(await this.#conn.write(this.#nextPiece()));
        if (exchange.unwritten > 0) exchange.heard = performance.now();
      }
    } catch {
      // Reading meets the same end, and says why.
      this.#canWrite = false;
    }
    this.#writing = false;
  }

  async #read(): Promise<void> {
    const exchange = this.#exchange;
    try {
      while (true) {
        if (this.#inTurn && this.#canWrite) {
          // What #write() does, without a promise of its own for each message.
          try {
            while (exchange.unwritten > 0) exchange.wrote(await this.#conn.write(this.#nextPiece()));
          } catch {
            this.#canWrite = false;
          }
        }
        const length = await this.#conn.read(this.#buffer);
        if (length === null) return this.cut(this.#ending ? undefined : CLOSED);
        const fault = exchange.take(this.#buffer, length);
        if (fault !== undefined) return this.cut(fault);
        this.#writeSoon();
      }
    } catch (error) {
      this.cut(this.#ending ? undefined : describeCause(error));
    }
  }
}
