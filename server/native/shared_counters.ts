/**
 * What the threads of a server count together, and how much of it they are to tell, in memory that they share.
 *
 * @module
 */

import { type EventRates, LIMITED } from "../events.ts";
import type { DatagramRefusal } from "../guard/datagram_guard.ts";

/** Why datagrams are not answered, in the order in which they are counted. */
export const REFUSALS: readonly DatagramRefusal[] = [
  "no return address",
  "answering port",
  "own address",
  "repeats",
  "peer does not read",
];

/** What a worker counts, in this order; behind it, each of {@linkcode REFUSALS}. */
export const COUNTED = { connections: 0, open: 1, messages: 2, bytes: 3, refused: 4 };

const ROW = COUNTED.refused + REFUSALS.length;

/** The connections so far, behind the rates, in 64 bits: in 32 there is no room for a day of them. */
const NUMBERS_BYTES = 8;

/**
 * What else all threads count in common, as words of 32 bits: whether the first conversation began; behind it how many
 * messages of each worker the main thread has not taken yet.
 */
const BEGUN = 0, UNTAKEN = 1;

/** Memory for the rates of events, behind the rows. */
const RATES_BYTES = LIMITED.length * 8;

/**
 * How many messages a worker may be ahead of the main thread, and how long it waits for that at once, in milliseconds. Where
 * somebody wants all of a kind it is few: what is made of them, as the lines of a log, must not come faster than it goes.
 */
const MOST_UNTAKEN = { some: 16, all: 2 }, PATIENCE = 1000;

/** Counters that every thread of a server sees. */
export class SharedCounters {
  /** Where they are; another thread makes its own view of it. */
  readonly memory: SharedArrayBuffer;
  /** How many events of each kind anybody has use for in a second, in the order of {@linkcode LIMITED}. */
  readonly rates: Float64Array<SharedArrayBuffer>;
  #connections: BigUint64Array<SharedArrayBuffer>;
  #words: Int32Array<SharedArrayBuffer>;
  #rows: Float64Array<SharedArrayBuffer>;

  /**
   * @param workers How many workers count.
   * @param memory What another thread has made. Default: new counters.
   */
  constructor(workers: number, memory?: SharedArrayBuffer) {
    const rows = workers * ROW * 8;
    const numbers = rows + RATES_BYTES, words = numbers + NUMBERS_BYTES;
    this.memory = memory ?? new SharedArrayBuffer(words + (UNTAKEN + workers) * 4);
    this.#rows = new Float64Array(this.memory, 0, workers * ROW);
    this.rates = new Float64Array(this.memory, rows, LIMITED.length);
    this.#connections = new BigUint64Array(this.memory, numbers, 1);
    this.#words = new Int32Array(this.memory, words, UNTAKEN + workers);
  }

  /**
   * Sets how many events of each kind anybody has use for. Workers see it before they see what is sent to them later.
   *
   * @param rates How many in a second.
   */
  setRates(rates: EventRates): void {
    this.rates.set(LIMITED.map((kind) => rates[kind]));
  }

  /**
   * Numbers a connection.
   *
   * @returns Its number, from 1 on, in all of the server.
   */
  nextConnection(): number {
    return Number(Atomics.add(this.#connections, 0, 1n)) + 1;
  }

  /**
   * Begins the only conversation of a server that ends with its first.
   *
   * @returns Whether it is the first; else another thread has begun one.
   */
  claimFirst(): boolean {
    return Atomics.exchange(this.#words, BEGUN, 1) === 0;
  }

  /**
   * The counters of a worker, which it alone changes. Others may see them a moment later.
   *
   * @param worker The number of the worker, from 0 on.
   * @returns The counters, as {@linkcode COUNTED} says.
   */
  row(worker: number): Float64Array<SharedArrayBuffer> {
    return this.#rows.subarray(worker * ROW, (worker + 1) * ROW);
  }

  /**
   * Counts a message to the main thread, and waits where that has not taken too many yet: what happens faster than it can be
   * told would fill the memory.
   *
   * @param worker The number of the worker.
   */
  sent(worker: number): void {
    const index = UNTAKEN + worker;
    const untaken = Atomics.add(this.#words, index, 1) + 1;
    const most = this.rates.includes(Infinity) ? MOST_UNTAKEN.all : MOST_UNTAKEN.some;
    if (untaken >= most) Atomics.wait(this.#words, index, untaken, PATIENCE);
  }

  /**
   * Counts a message that the main thread has taken.
   *
   * @param worker The number of the worker.
   */
  taken(worker: number): void {
    Atomics.sub(this.#words, UNTAKEN + worker, 1);
    Atomics.notify(this.#words, UNTAKEN + worker);
  }

  /**
   * Forgets what was on its way in a worker that has died: another takes its place.
   *
   * @param worker The number of the worker.
   */
  restart(worker: number): void {
    this.row(worker)[COUNTED.open] = 0;
    Atomics.store(this.#words, UNTAKEN + worker, 0);
  }

  /** The sums of all workers, as {@linkcode COUNTED} says. */
  get sums(): number[] {
    const sums = Array<number>(ROW).fill(0);
    this.#rows.forEach((value, index) => sums[index % ROW]! += value);
    return sums;
  }
}
