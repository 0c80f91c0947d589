/**
 * What is exchanged in messages under load, however these are sent and received.
 *
 * @module
 */

import { isDatagram } from "../../../../lib/transport/mod.ts";
import { countCause, type LoadCounters } from "../counters.ts";
import { MISMATCH, type SharedLoad, SURPLUS } from "../link.ts";
import type { LoadPlan } from "../plan.ts";
import type { LoadSchedule } from "../schedule.ts";
import { InFlight } from "./in_flight.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";

/** How many lost datagrams are remembered, to know their late answers. */
const REMEMBERED = 65_536;

/**
 * The messages of a conversation, which may be lost where they are datagrams. A message begins with its sequence number, in
 * four bytes or as many as it has, so that an answer is known for what it is the answer to; the rest is noise. An empty one is
 * taken to answer the oldest.
 */
export class MessageExchange {
  /** Whether anything has come back. */
  answered = false;
  /** How many messages were begun to be sent. */
  begun = 0;
  /** Whether messages may be lost, and the conversation go on nevertheless. */
  readonly isLossy: boolean;
  /** What every message is but for its sequence number. */
  readonly message: Uint8Array;

  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #dueAt: (index: number) => number;
  #numberBytes: number;
  #inFlight = new InFlight();
  #lost = new Set<number>();
  /** The last lost one that is not remembered any more. */
  #forgotten = -1;
  /** When the server last did something, or had nothing to do. */
  #heard = 0;

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
    this.#dueAt = dueAt;
    this.isLossy = isDatagram(plan.endpoint);
    this.#numberBytes = Math.min(plan.size, 4);
    this.message = new Uint8Array(plan.size);
    for (let at = 0; at < plan.size; at += LONGEST_PIECE) {
      const from = Math.floor(Math.random() * PERIOD);
      this.message.set(noise.subarray(from, from + Math.min(LONGEST_PIECE, plan.size - at)), at);
    }
  }

  /**
   * Begins to send a message.
   *
   * @param now The time, at which it is due if the load has no rate.
   * @param bytes Where the message is that gets its number.
   * @param at Where it begins there.
   */
  begin(now: number, bytes: Uint8Array, at: number): void {
    const sequence = this.begun++;
    if (this.#inFlight.size === 0) this.#heard = now;
    for (let i = 0; i < this.#numberBytes; i++) bytes[at + i] = sequence >>> 8 * i;
    this.#inFlight.add(sequence, this.#plan.rate === undefined ? now : this.#dueAt(sequence));
  }

  /**
   * Takes back that the last messages were begun.
   *
   * @param count How many.
   */
  undo(count: number): void {
    for (; count > 0; count--) this.#inFlight.remove(--this.begun);
  }

  /**
   * Takes an answer.
   *
   * @param bytes Where it is.
   * @param at Where it begins there.
   * @param length How long it is; one more than expected stands for all that are too long.
   * @param now The time.
   * @returns How many messages are in flight no more, for {@linkcode follow}.
   */
  take(bytes: Uint8Array, at: number, length: number, now: number): number {
    const { size, verify } = this.#plan;
    const counters = this.#counters, numberBytes = this.#numberBytes;
    this.#heard = now;
    this.answered = true;
    const sequence = this.#sequenceOf(bytes, at, length);
    const due = this.#inFlight.dueOf(sequence);
    const isRight = length === size && (sequence >= 0 || size === 0) &&
      (!verify || isSame(bytes, at + numberBytes, this.message, numberBytes, size - numberBytes));
    if (!isRight) countCause(counters.counts.broken, length > size ? SURPLUS : MISMATCH);
    if (due !== undefined) {
      this.#inFlight.remove(sequence);
      if (isRight) counters.answer(due, now);
      return 1;
    }
    if (isRight) {
      const known = size === 0 ? this.#lost.keys().next().value ?? -1 : sequence;
      counters.counts[this.#lost.delete(known) || known <= this.#forgotten ? "late" : "duplicate"]++;
    }
    return 0;
  }

  /**
   * Counts the messages as lost that were not answered for too long.
   *
   * @param now The time.
   * @returns How many messages are in flight no more, for {@linkcode follow}.
   */
  expire(now: number): number {
    let expired = 0;
    for (let oldest; (oldest = this.#inFlight.oldest) >= 0; expired++) {
      const due = this.#inFlight.dueOf(oldest)!;
      if (now - due <= this.#plan.wait) break;
      this.#inFlight.remove(oldest);
      this.#remember(oldest);
      this.#counters.miss("lost", due);
    }
    return expired;
  }

  /**
   * Lets messages follow those that are in flight no more.
   *
   * @param count How many are not.
   * @param now The time.
   * @returns How many are to be sent.
   */
  follow(count: number, now: number): number {
    if (count === 0) return 0;
    const granted = this.#plan.rate === undefined ? this.#schedule.claim(count, now) : 0;
    this.#schedule.release(count);
    return granted;
  }

  /**
   * Tells for how long the server has owed answers and sent none.
   *
   * @param now The time.
   * @returns The time in milliseconds.
   */
  silence(now: number): number {
    return this.#inFlight.size > 0 ? now - this.#heard : 0;
  }

  /**
   * Counts the messages that are in flight, after the end, and lets go of them.
   *
   * @param how What became of them.
   */
  abandon(how: "lost" | "unfinished"): void {
    for (const due of this.#inFlight.values()) this.#counters.miss(how, due);
    this.#schedule.release(this.#inFlight.size);
    this.#inFlight.clear();
  }

  /**
   * The number of the message that an answer may belong to: of those with so few bytes that several in flight have the same,
   * the oldest; where none is in flight, the latest; one that was never sent where there is none.
   */
  #sequenceOf(bytes: Uint8Array, at: number, length: number): number {
    const numberBytes = this.#numberBytes, { oldest } = this.#inFlight;
    if (numberBytes === 0) return oldest;
    if (length < numberBytes) return -1;
    let low = 0;
    for (let i = 0; i < numberBytes; i++) low |= bytes[at + i]! << 8 * i;
    const last = this.begun - 1, mask = numberBytes === 4 ? ~0 : (1 << 8 * numberBytes) - 1;
    const latest = last - (((last - low) & mask) >>> 0);
    if (numberBytes === 4 || oldest < 0) return latest;
    for (let sequence = oldest + ((low - oldest) & mask); sequence < latest; sequence += mask + 1) {
      if (this.#inFlight.dueOf(sequence) !== undefined) return sequence;
    }
    return latest;
  }

  #remember(sequence: number): void {
    this.#lost.add(sequence);
    if (this.#lost.size <= REMEMBERED) return;
    this.#forgotten = this.#lost.keys().next().value!;
    this.#lost.delete(this.#forgotten);
  }
}
