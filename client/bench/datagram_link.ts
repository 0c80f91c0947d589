/**
 * A socket of datagrams under load.
 *
 * @module
 */

import { describeCause } from "../../lib/errors.ts";
import type { MessageConn } from "../../lib/transport/mod.ts";
import { countCause, type Course, type LoadPlan } from "./schedule.ts";
import { CLOSED, type Link, MISMATCH, type Place, SURPLUS } from "./link.ts";
import { isSame, LONGEST_PIECE, PERIOD } from "./noise.ts";

/** How many datagrams may wait at once for room in the socket's buffer; each needs a buffer of its own. */
const MOST_PENDING = 16;

/** How many lost datagrams are remembered, to know their late answers. */
const REMEMBERED = 4096;

/** How long to wait after a failed receive, in milliseconds. */
const PAUSE = 10;

/**
 * A socket of datagrams under load. A datagram begins with its sequence number, in four bytes or as many as it has, so
 * that an answer is known for what it is the answer to; the rest is noise. An empty one is taken to answer the oldest.
 */
export class DatagramLink implements Link {
  readonly finished: Promise<string | undefined>;
  answered = false;

  #conn: MessageConn;
  #place: Place;
  #course: Course;
  #plan: LoadPlan;
  /** What every datagram is but for its sequence number. */
  #model: Uint8Array;
  #numberBytes: number;
  #idle: Uint8Array[] = [];
  #pending = 0;
  #waiting = 0;
  /** When each datagram under way was due, the oldest first. */
  #underway = new Map<number, number>();
  #lost = new Set<number>();
  #next = 0;
  #before: number;
  #receiving: Promise<void> | undefined;
  #over = false;
  #finished = Promise.withResolvers<string | undefined>();

  /**
   * Puts a socket under load.
   *
   * @param conn The conversation with the server, which this closes.
   * @param place Its place.
   * @param course The course of the load.
   * @param plan The load.
   * @param noise What to send.
   */
  constructor(conn: MessageConn, place: Place, course: Course, plan: LoadPlan, noise: Uint8Array) {
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#place = place;
    this.#course = course;
    this.#plan = plan;
    this.#numberBytes = Math.min(plan.size, 4);
    this.#before = place.begun;
    this.#model = new Uint8Array(plan.size);
    for (let at = 0; at < plan.size; at += LONGEST_PIECE) {
      const from = Math.floor(Math.random() * PERIOD);
      this.#model.set(noise.subarray(from, from + Math.min(LONGEST_PIECE, plan.size - at)), at);
    }
  }

  start(): void {
    this.#receiving = this.#receive();
  }

  push(count: number, now: number): void {
    this.#waiting += count;
    while (this.#waiting > 0 && this.#pending < MOST_PENDING && !this.#over) {
      this.#waiting--;
      this.#send(now);
    }
  }

  watch(now: number): void {
    let expired = 0;
    for (const [sequence, due] of this.#underway) {
      if (now - due <= this.#plan.wait) break;
      this.#underway.delete(sequence);
      this.#remember(sequence);
      this.#course.lose(due);
      expired++;
    }
    this.#follow(expired, now);
  }

  async end(): Promise<void> {
    this.cut();
    await this.#receiving;
  }

  cut(cause?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#finished.resolve(cause);
    this.#conn.close();
  }

  abandon(lost: boolean): number {
    if (lost) { for (const due of this.#underway.values()) this.#course.lose(due); }
    this.#course.release(this.#underway.size);
    this.#underway.clear();
    this.#place.begun = this.#before + this.#next;
    return this.#waiting;
  }

  #send(now: number): void {
    const sequence = this.#next++;
    const { rate } = this.#plan;
    const due = rate === undefined ? now : this.#course.dueAt(this.#place.number, this.#before + sequence);
    const datagram = this.#idle.pop() ?? this.#model.slice();
    for (let i = 0; i < this.#numberBytes; i++) datagram[i] = sequence >>> 8 * i;
    this.#underway.set(sequence, due);
    this.#pending++;
    this.#conn.send(datagram).then(
      () => this.#sent(datagram),
      (error) => {
        // It stays under way until it is lost, so that a socket that cannot send does not try without a pause.
        if (!this.#over) countCause(this.#course.faults.refused, `cannot send: ${describeCause(error)}`);
        this.#sent(datagram);
      },
    );
  }

  #sent(datagram: Uint8Array): void {
    this.#pending--;
    this.#idle.push(datagram);
    if (this.#waiting > 0) this.push(0, performance.now());
  }

  /** Lets messages follow those that are under way no more. */
  #follow(count: number, now: number): void {
    if (count === 0) return;
    if (this.#plan.rate === undefined) this.push(this.#course.claim(count, now), now);
    this.#course.release(count);
  }

  async #receive(): Promise<void> {
    // A byte more than is expected, so that a datagram that is too long is noticed.
    const buffer = new Uint8Array(this.#plan.size + 1);
    while (!this.#over) {
      try {
        const datagram = await this.#conn.receive(buffer);
        if (datagram === null) return this.cut(CLOSED);
        this.#take(datagram);
      } catch (error) {
        if (this.#over) return;
        // Some systems report here that nobody listens at the peer's port.
        countCause(this.#course.faults.refused, `cannot receive: ${describeCause(error)}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }

  #take(datagram: Uint8Array): void {
    const now = performance.now();
    const { size, verify } = this.#plan;
    this.answered = true;
    const sequence = this.#sequenceOf(datagram);
    const due = this.#underway.get(sequence);
    const isRight = datagram.length === size && (sequence >= 0 || size === 0) &&
      (!verify || isSame(datagram.subarray(this.#numberBytes), this.#model.subarray(this.#numberBytes)));
    if (!isRight) countCause(this.#course.faults.broken, datagram.length > size ? SURPLUS : MISMATCH);
    if (due !== undefined) {
      this.#underway.delete(sequence);
      if (isRight) this.#course.answer(due, now);
      this.#follow(1, now);
    } else if (isRight) {
      const known = size === 0 ? this.#lost.keys().next().value ?? -1 : sequence;
      this.#course.faults[this.#lost.delete(known) ? "late" : "duplicated"]++;
    }
  }

  /** The number of the latest datagram that an answer may belong to; one that was never sent where there is none. */
  #sequenceOf(datagram: Uint8Array): number {
    if (this.#numberBytes === 0) return this.#underway.keys().next().value ?? -1;
    if (datagram.length < this.#numberBytes) return -1;
    let low = 0;
    for (let i = 0; i < this.#numberBytes; i++) low += datagram[i]! * 256 ** i;
    const range = 256 ** this.#numberBytes, last = this.#next - 1;
    return last - (((last - low) % range) + range) % range;
  }

  #remember(sequence: number): void {
    this.#lost.add(sequence);
    if (this.#lost.size > REMEMBERED) this.#lost.delete(this.#lost.keys().next().value!);
  }
}
