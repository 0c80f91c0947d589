/**
 * What a worker tells of what happens, as often as anybody wants to know and no faster than the main thread takes it.
 *
 * @module
 */

import { LIMITED, type Limited } from "../events.ts";
import type { FromWorker, WorkerEvent } from "./protocol.ts";

/** How long events may wait for others to go with, in milliseconds. */
const GATHERING = 10;

/** How many bytes of messages may wait, or events. */
const MOST_BYTES = 128 * 1024;
const MOST_EVENTS = 1024;

/** Over what time the events of a kind are counted, in milliseconds. */
const SECOND = 1000;

/** Gathers the events of a worker. */
export class Outbox {
  #post: (message: FromWorker) => void;
  #rates: ArrayLike<number>;
  #events: WorkerEvent[] = [];
  #bytes = 0;
  /** When the events that wait are to go. */
  #due = Infinity;
  #sentAt = -Infinity;
  /** How many of each kind were told in this second, and what was left out. */
  #told = new Map<Limited, number>();
  #omitted = new Map<Limited, { count: number; bytes: number }>();
  #second = Infinity;

  /**
   * @param post Sends to the main thread.
   * @param rates How many events of each kind anybody wants in a second, in the order of {@linkcode LIMITED}; they may change.
   */
  constructor(post: (message: FromWorker) => void, rates: ArrayLike<number>) {
    this.#post = post;
    this.#rates = rates;
  }

  /** By when {@linkcode flush} is to be called; `Infinity` where nothing waits. */
  get due(): number {
    return Math.min(this.#due, this.#omitted.size > 0 ? this.#second : Infinity);
  }

  /**
   * Asks whether anybody wants to know of an event that happens now; else it is counted.
   *
   * @param kind Its kind.
   * @param now The time.
   * @param bytes How many bytes it is about.
   * @returns Whether to call {@linkcode add} with it.
   */
  wants(kind: Limited, now: number, bytes = 0): boolean {
    const rate = this.#rates[LIMITED.indexOf(kind)]!;
    if (rate === Infinity) return true;
    if (rate === 0) return false;
    if (now >= this.#second || this.#second === Infinity) this.#nextSecond(now);
    const told = this.#told.get(kind) ?? 0;
    if (told < rate) {
      this.#told.set(kind, told + 1);
      return true;
    }
    const omitted = this.#omitted.get(kind);
    if (omitted === undefined) this.#omitted.set(kind, { count: 1, bytes });
    else {
      omitted.count++;
      omitted.bytes += bytes;
    }
    return false;
  }

  /**
   * Takes an event.
   *
   * @param event What has happened.
   * @param now The time.
   */
  add(event: WorkerEvent, now: number): void {
    this.#events.push(event);
    if (event.type === "echoed") this.#bytes += event.message.length;
    if (this.#due === Infinity) this.#due = Math.max(now, this.#sentAt + GATHERING);
    if (this.#bytes >= MOST_BYTES || this.#events.length >= MOST_EVENTS) this.#send(now);
  }

  /**
   * Sends what is due.
   *
   * @param now The time.
   */
  flush(now: number): void {
    if (this.#omitted.size > 0 && now >= this.#second) this.#nextSecond(now);
    if (now >= this.#due) this.#send(now);
  }

  /** Sends all there is. */
  end(): void {
    this.#tellOmitted();
    this.#send(0);
  }

  #nextSecond(now: number): void {
    this.#tellOmitted();
    this.#told.clear();
    this.#second = now + SECOND;
    if (this.#events.length > 0 && this.#due === Infinity) this.#due = now;
  }

  #tellOmitted(): void {
    for (const of of LIMITED) {
      const omitted = this.#omitted.get(of);
      if (omitted !== undefined) this.#events.push({ type: "omitted", of, ...omitted });
    }
    this.#omitted.clear();
  }

  #send(now: number): void {
    if (this.#events.length > 0) this.#post({ events: this.#events });
    this.#events = [];
    this.#bytes = 0;
    this.#due = Infinity;
    this.#sentAt = now;
  }
}
