/**
 * A socket of datagrams under load.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { describeCause, errorCode } from "../../../lib/errors.ts";
import { EndpointError, type MessageConn } from "../../../lib/transport/mod.ts";
import { countCause, type LoadCounters } from "./counters.ts";
import { CLOSED, type Link, type LinkEnd, MISMATCH, type SharedLoad, SURPLUS } from "./link.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** How many lost datagrams are remembered, to know their late answers. */
const REMEMBERED = 4096;

/** How long to wait after a failed receive, in milliseconds. */
const PAUSE = 10;

/** How an operation fails where nobody is at the peer's address: the last is how Windows tells of a dead UDP port. */
const NOBODY = ["ECONNREFUSED", "ENOENT", "ECONNRESET"];

/**
 * A socket of messages under load, which are datagrams that may be lost. A message begins with its sequence number, in
 * four bytes or as many as it has, so that an answer is known for what it is the answer to; the rest is noise. An empty
 * one is taken to answer the oldest.
 */
export class DatagramLink implements Link {
  readonly finished: Promise<LinkEnd>;
  answered = false;
  begun = 0;
  readonly partialBytes = 0;

  #conn: MessageConn;
  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #dueAt: (index: number) => number;
  /** What every datagram is but for its sequence number. */
  #datagram: Uint8Array;
  #numberBytes: number;
  #waiting = 0;
  #sending = false;
  /** When each datagram in flight was due, the oldest first. */
  #inFlight = new Map<number, number>();
  #lost = new Set<number>();
  #receiving: Promise<void> | undefined;
  #over = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a socket under load.
   *
   * @param conn The conversation with the server, which this closes.
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor(conn: MessageConn, { plan, schedule, counters, noise }: SharedLoad, dueAt: (index: number) => number) {
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#plan = plan;
    this.#schedule = schedule;
    this.#counters = counters;
    this.#dueAt = dueAt;
    this.#numberBytes = Math.min(plan.size, 4);
    this.#datagram = new Uint8Array(plan.size);
    for (let at = 0; at < plan.size; at += LONGEST_PIECE) {
      const from = Math.floor(Math.random() * PERIOD);
      this.#datagram.set(noise.subarray(from, from + Math.min(LONGEST_PIECE, plan.size - at)), at);
    }
  }

  start(): void {
    this.#receiving = this.#receive();
  }

  push(count: number): void {
    this.#waiting += count;
    if (!this.#sending) this.#send();
  }

  watch(now: number): void {
    let expired = 0;
    for (const [sequence, due] of this.#inFlight) {
      if (now - due <= this.#plan.wait) break;
      this.#inFlight.delete(sequence);
      this.#remember(sequence);
      this.#counters.miss("lost", due);
      expired++;
    }
    this.#follow(expired, now);
  }

  async end(): Promise<void> {
    this.cut();
    await this.#receiving;
  }

  cut(why?: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#finished.resolve(why);
    this.#conn.close();
  }

  abandon(how: "lost" | "unfinished"): number {
    for (const due of this.#inFlight.values()) this.#counters.miss(how, due);
    this.#schedule.release(this.#inFlight.size);
    this.#inFlight.clear();
    return this.#waiting;
  }

  /** Sends what waits, one datagram after the other. */
  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting > 0 && !this.#over) {
      this.#waiting--;
      const sequence = this.begun++;
      for (let i = 0; i < this.#numberBytes; i++) this.#datagram[i] = sequence >>> 8 * i;
      this.#inFlight.set(sequence, this.#plan.rate === undefined ? performance.now() : this.#dueAt(sequence));
      try {
        await this.#conn.send(this.#datagram);
      } catch (error) {
        // It stays in flight until it is lost, so that a socket that cannot send does not try without a pause.
        this.#fail("send", error, !this.answered);
      }
    }
    this.#sending = false;
  }

  /** Counts a failure, or ends the link where it is for good: nobody is at the peer's address. */
  #fail(what: "send" | "receive", error: unknown, forGood = false): void {
    if (this.#over) return;
    if (forGood || NOBODY.includes(errorCode(error) ?? "")) {
      return this.cut(new EndpointError("send to", this.#plan.endpoint, error));
    }
    countCause(this.#counters.counts.refused, `cannot ${what}: ${describeCause(error)}`);
  }

  /** Lets messages follow those that are in flight no more. */
  #follow(count: number, now: number): void {
    if (count === 0) return;
    if (this.#plan.rate === undefined) this.push(this.#schedule.claim(count, now));
    this.#schedule.release(count);
  }

  async #receive(): Promise<void> {
    // A byte more than is expected, so that a datagram that is too long is noticed.
    const buffer = new Uint8Array(this.#plan.size + 1);
    while (!this.#over) {
      try {
        const datagram = await this.#conn.receive(buffer);
        // What was still in flight has been counted.
        if (this.#over) return;
        if (datagram === null) return this.cut(CLOSED);
        this.#take(datagram);
      } catch (error) {
        // Some systems report here that nobody listens at the peer's port.
        this.#fail("receive", error);
        if (!this.#over) await delay(PAUSE);
      }
    }
  }

  #take(datagram: Uint8Array): void {
    const now = performance.now();
    const { size, verify } = this.#plan;
    this.answered = true;
    const sequence = this.#sequenceOf(datagram);
    const due = this.#inFlight.get(sequence);
    const isRight = datagram.length === size && (sequence >= 0 || size === 0) &&
      (!verify || isSame(datagram.subarray(this.#numberBytes), this.#datagram.subarray(this.#numberBytes)));
    if (!isRight) countCause(this.#counters.counts.broken, datagram.length > size ? SURPLUS : MISMATCH);
    if (due !== undefined) {
      this.#inFlight.delete(sequence);
      if (isRight) this.#counters.answer(due, now);
      this.#follow(1, now);
    } else if (isRight) {
      const known = size === 0 ? this.#lost.keys().next().value ?? -1 : sequence;
      this.#counters.counts[this.#lost.delete(known) ? "late" : "duplicate"]++;
    }
  }

  /** The number of the latest datagram that an answer may belong to; one that was never sent where there is none. */
  #sequenceOf(datagram: Uint8Array): number {
    if (this.#numberBytes === 0) return this.#inFlight.keys().next().value ?? -1;
    if (datagram.length < this.#numberBytes) return -1;
    let low = 0;
    for (let i = 0; i < this.#numberBytes; i++) low += datagram[i]! * 256 ** i;
    const range = 256 ** this.#numberBytes, last = this.begun - 1;
    return last - (((last - low) % range) + range) % range;
  }

  #remember(sequence: number): void {
    this.#lost.add(sequence);
    if (this.#lost.size > REMEMBERED) this.#lost.delete(this.#lost.keys().next().value!);
  }
}
