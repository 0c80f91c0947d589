/**
 * What is exchanged over a byte stream under load, however the stream is read and written.
 *
 * @module
 */

import type { LoadCounters } from "../counters.ts";
import { MISMATCH, type SharedLoad, SURPLUS } from "../link.ts";
import type { LoadPlan } from "../plan.ts";
import type { LoadSchedule } from "../schedule.ts";
import { isSame, PERIOD } from "./noise.ts";

/** The messages on a byte stream. What is sent is noise from a random offset; what comes back must be the same. */
export class StreamExchange {
  /** Where in the noise the bytes are that are to be written next. */
  writeAt: number;
  /** How many bytes of the messages are not written yet. */
  unwritten = 0;
  /** When the server last did something, or had nothing to do. */
  heard = 0;

  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #noise: Uint8Array;
  #dueAt: (index: number) => number;
  /** When the messages in flight were due, where there is no rate. */
  #dues: Float64Array | undefined;
  #readAt: number;
  /** Messages: to be sent, answered. */
  #pushed = 0;
  #done = 0;
  /** Bytes that have come back of the first message that is not answered. */
  #partial = 0;
  /** Bytes: given to a write, written, read. */
  #handed = 0;
  #written = 0;
  #received = 0;

  /**
   * Prepares to exchange messages.
   *
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor({ plan, schedule, counters, noise }: SharedLoad, dueAt: (index: number) => number) {
    this.#plan = plan;
    this.#schedule = schedule;
    this.#counters = counters;
    this.#noise = noise;
    this.#dueAt = dueAt;
    this.#dues = plan.rate === undefined ? new Float64Array(plan.depth) : undefined;
    this.writeAt = this.#readAt = Math.floor(Math.random() * PERIOD);
  }

  /** Whether anything has come back. */
  get answered(): boolean {
    return this.#received > 0;
  }

  /** How many messages were begun to be sent. */
  get begun(): number {
    return Math.ceil(this.#handed / this.#plan.size);
  }

  /** How many bytes have come back of a message that counts and is not answered whole. */
  get partialBytes(): number {
    return this.#partial > 0 && this.#dueOf(this.#done) >= this.#schedule.measureFrom ? this.#partial : 0;
  }

  /** Whether the server owes answers. */
  get isOwed(): boolean {
    return this.#pushed > this.#done;
  }

  /**
   * Takes messages that are to be sent.
   *
   * @param count How many.
   * @param now The time, at which they are due if the load has no rate.
   */
  push(count: number, now: number): void {
    if (count === 0) return;
    if (this.#pushed === this.#done) this.heard = now;
    if (this.#dues) { for (let i = 0; i < count; i++) this.#dues[(this.#pushed + i) % this.#dues.length] = now; }
    this.#pushed += count;
    this.unwritten += count * this.#plan.size;
  }

  /**
   * Tells that bytes are given to a write.
   *
   * @param length How many.
   */
  hand(length: number): void {
    this.#handed = this.#written + length;
  }

  /**
   * Tells that bytes were written.
   *
   * @param length How many.
   */
  wrote(length: number): void {
    this.#written += length;
    this.unwritten -= length;
    this.writeAt = (this.writeAt + length) % PERIOD;
  }

  /**
   * Takes what was read. Where there is no rate, answers bring the next messages, which are then to be written.
   *
   * @param buffer What was read, at its beginning; no longer than the longest piece of noise.
   * @param length How many bytes.
   * @returns What is wrong with it.
   */
  take(buffer: Uint8Array, length: number): string | undefined {
    const now = performance.now();
    const { size, verify } = this.#plan;
    const counters = this.#counters;
    const owed = this.#handed - this.#received;
    const taken = Math.min(length, owed);
    if (verify && !isSame(buffer, 0, this.#noise, this.#readAt, taken)) return MISMATCH;
    this.heard = now;
    this.#received += taken;
    this.#readAt = (this.#readAt + taken) % PERIOD;
    this.#partial += taken;
    const done = Math.floor(this.#partial / size);
    this.#partial -= done * size;
    if (done === 0) counters.lastAnswer = now;
    for (let i = 0; i < done; i++) counters.answer(this.#dueOf(this.#done++), now);
    if (this.#dues && length <= owed) this.push(this.#schedule.claim(done, now), now);
    this.#schedule.release(done);
    return length > owed ? SURPLUS : undefined;
  }

  /**
   * Counts the messages that are in flight, after the end.
   *
   * @param how What became of them.
   * @returns How many messages were not begun to be sent.
   */
  abandon(how: "lost" | "unfinished"): number {
    const { begun } = this;
    if (how === "unfinished") this.#counters.counts.unfinishedBytes += this.partialBytes;
    for (let i = this.#done; i < begun; i++) this.#counters.miss(how, this.#dueOf(i));
    this.#schedule.release(begun - this.#done);
    return this.#pushed - begun;
  }

  #dueOf(message: number): number {
    return this.#dues ? this.#dues[message % this.#dues.length]! : this.#dueAt(message);
  }
}
