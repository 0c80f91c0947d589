/**
 * A conversation in messages under load.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { describeCause, errorCode } from "../../../lib/errors.ts";
import { EndpointError, isDatagram, type MessageConn } from "../../../lib/transport/mod.ts";
import { formatDuration } from "../../../lib/units.ts";
import { countCause, type LoadCounters } from "./counters.ts";
import { CLOSED, type Link, type LinkEnd, MISMATCH, type SharedLoad, SURPLUS } from "./link.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** How many lost datagrams are remembered, to know their late answers. */
const REMEMBERED = 4096;

/** How long to wait after a failed receive, in milliseconds. */
const PAUSE = 10;

/** How an operation fails where nobody is at the peer's address. */
const NOBODY = ["ECONNREFUSED", "ENOENT"];

/**
 * A conversation in messages under load, which may be lost where they are datagrams. A message begins with its sequence
 * number, in four bytes or as many as it has, so that an answer is known for what it is the answer to; the rest is noise.
 * An empty one is taken to answer the oldest.
 */
export class MessageLink implements Link {
  readonly finished: Promise<LinkEnd>;
  answered = false;
  begun = 0;
  readonly partialBytes = 0;

  #conn: MessageConn;
  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #dueAt: (index: number) => number;
  /** Whether messages may be lost, and the conversation go on nevertheless. */
  #isLossy: boolean;
  /** What every message is but for its sequence number. */
  #message: Uint8Array;
  #numberBytes: number;
  #waiting = 0;
  #sending = false;
  /** When each message in flight was due, the oldest first. */
  #inFlight = new Map<number, number>();
  #lost = new Set<number>();
  /** When the server last did something, or had nothing to do. */
  #heard = 0;
  #receiving: Promise<void> | undefined;
  #over = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a conversation under load.
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
    this.#isLossy = isDatagram(plan.endpoint);
    this.#numberBytes = Math.min(plan.size, 4);
    this.#message = new Uint8Array(plan.size);
    for (let at = 0; at < plan.size; at += LONGEST_PIECE) {
      const from = Math.floor(Math.random() * PERIOD);
      this.#message.set(noise.subarray(from, from + Math.min(LONGEST_PIECE, plan.size - at)), at);
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
    const { wait, timeout } = this.#plan;
    if (!this.#isLossy) {
      if (this.#inFlight.size > 0 && now - this.#heard > timeout) this.cut(`no answer for ${formatDuration(timeout)}`);
      return;
    }
    let expired = 0;
    for (const [sequence, due] of this.#inFlight) {
      if (now - due <= wait) break;
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

  /** Sends what waits, one message after the other. */
  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting > 0 && !this.#over) {
      this.#waiting--;
      const sequence = this.begun++;
      if (!this.#isLossy && this.#inFlight.size === 0) this.#heard = performance.now();
      for (let i = 0; i < this.#numberBytes; i++) this.#message[i] = sequence >>> 8 * i;
      this.#inFlight.set(sequence, this.#plan.rate === undefined ? performance.now() : this.#dueAt(sequence));
      try {
        await this.#conn.send(this.#message);
      } catch (error) {
        // It stays in flight until it is lost, so that a socket that cannot send does not try without a pause.
        this.#fail("send", error, !this.answered);
      }
    }
    this.#sending = false;
  }

  /** Counts a failure, or ends the link where it is for good: the connection broke, or nobody is at the peer's address. */
  #fail(what: "send" | "receive", error: unknown, forGood = false): void {
    if (this.#over) return;
    if (!this.#isLossy && errorCode(error) !== "EMSGSIZE") return this.cut(describeCause(error));
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
    // A byte more than is expected, so that a message that is too long is noticed.
    const buffer = new Uint8Array(this.#plan.size + 1);
    while (!this.#over) {
      try {
        const message = await this.#conn.receive(buffer);
        // What was still in flight has been counted.
        if (this.#over) return;
        if (message === null) return this.cut(CLOSED);
        this.#take(message);
      } catch (error) {
        // Some systems report here that nobody listens at the peer's port.
        this.#fail("receive", error);
        if (!this.#over) await delay(PAUSE);
      }
    }
  }

  #take(answer: Uint8Array): void {
    const now = performance.now();
    const { size, verify } = this.#plan;
    this.#heard = now;
    this.answered = true;
    const sequence = this.#sequenceOf(answer);
    const due = this.#inFlight.get(sequence);
    const isRight = answer.length === size && (sequence >= 0 || size === 0) &&
      (!verify || isSame(answer.subarray(this.#numberBytes), this.#message.subarray(this.#numberBytes)));
    if (!isRight) countCause(this.#counters.counts.broken, answer.length > size ? SURPLUS : MISMATCH);
    if (due !== undefined) {
      this.#inFlight.delete(sequence);
      if (isRight) this.#counters.answer(due, now);
      this.#follow(1, now);
    } else if (isRight) {
      const known = size === 0 ? this.#lost.keys().next().value ?? -1 : sequence;
      this.#counters.counts[this.#lost.delete(known) ? "late" : "duplicate"]++;
    }
  }

  /** The number of the latest message that an answer may belong to; one that was never sent where there is none. */
  #sequenceOf(answer: Uint8Array): number {
    if (this.#numberBytes === 0) return this.#inFlight.keys().next().value ?? -1;
    if (answer.length < this.#numberBytes) return -1;
    let low = 0;
    for (let i = 0; i < this.#numberBytes; i++) low += answer[i]! * 256 ** i;
    const range = 256 ** this.#numberBytes, last = this.begun - 1;
    return last - (((last - low) % range) + range) % range;
  }

  #remember(sequence: number): void {
    this.#lost.add(sequence);
    if (this.#lost.size > REMEMBERED) this.#lost.delete(this.#lost.keys().next().value!);
  }
}
