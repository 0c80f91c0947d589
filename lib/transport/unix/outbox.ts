/**
 * Datagrams that wait for peers to read.
 *
 * The system lets some ten datagrams wait for a Unix socket, and its senders wait for a place. A server that waited would
 * serve nobody meanwhile; one that threw away what finds no place would lose what any client with a dozen messages under
 * way is owed. So what finds no place waits here.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { setImmediate } from "node:timers";

/** How many bytes may wait for one peer, and for all. A datagram counts for so many more than it has. */
const ROOM = { peer: 256 * 1024, all: 4 * 1024 * 1024, overhead: 256 };

/** For how long nothing is read before it counts as stalled, and before what waits is thrown away, in milliseconds. */
const PATIENCE = { stalled: 100, lost: 1000 };

/** How often to try again, in milliseconds; and for how long after the last success without a pause. */
const RETRY = { every: 1, atOnce: 5 };

/** How many peers that do not read are remembered. */
const MOST_DEAF = 1000;

/** What waits for one peer. */
interface Queue {
  datagrams: Uint8Array[];
  bytes: number;
  /** When it last took one, or was asked to take the first. */
  tookAt: number;
}

/** How an outbox sends. */
export interface OutboxOptions {
  /**
   * Sends a datagram without waiting.
   *
   * @param bytes The datagram.
   * @param path The peer's path.
   * @returns Whether there was a place for it.
   * @throws If it cannot be sent.
   */
  send(bytes: Uint8Array, path: string): boolean;
  /** Tells whether there is no place for anybody, because of what some have not read. */
  isClogged(): boolean;
  /** Makes place again. Called now and then while something waits, there is no place, and none becomes free. */
  unclog(): void;
}

/** Sends datagrams, and keeps a limited number of those that find no place yet. */
export class Outbox {
  #options: OutboxOptions;
  #queues = new Map<string, Queue>();
  #bytes = 0;
  #deaf = new Set<string>();
  #closing = new AbortController();
  #delivering = false;

  /** @param options How to send. */
  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Sends a datagram, or keeps a copy until the peer reads; datagrams to one peer keep their order.
   *
   * @param bytes The datagram.
   * @param path The peer's path.
   * @returns Whether it was sent or kept; one that was kept is lost where the peer reads nothing for a second.
   * @throws If it cannot be sent.
   */
  send(bytes: Uint8Array, path: string): boolean {
    let queue = this.#queues.get(path);
    if (queue === undefined) {
      if (this.#options.send(bytes, path)) {
        if (this.#deaf.size > 0) this.#deaf.delete(path);
        return true;
      }
      // Where there is no place for anybody, it may well read.
      if (this.#deaf.has(path) && !this.#options.isClogged()) return false;
      queue = { datagrams: [], bytes: 0, tookAt: performance.now() };
    }
    const size = bytes.length + ROOM.overhead;
    if (queue.bytes + size > ROOM.peer || !this.#hasRoom(size, queue)) return false;
    queue.datagrams.push(bytes.slice());
    queue.bytes += size;
    this.#bytes += size;
    this.#queues.set(path, queue);
    // It fails where the outbox is closed.
    if (!this.#delivering) this.#deliver().catch(() => {});
    return true;
  }

  /** Throws away what waits. */
  close(): void {
    this.#closing.abort();
    this.#queues.clear();
  }

  async #deliver(): Promise<void> {
    this.#delivering = true;
    let tookAt = performance.now();
    try {
      while (this.#queues.size > 0) {
        const now = performance.now();
        // A place goes first to those that are owed least: who reads is owed little.
        for (const [path, queue] of [...this.#queues].sort(([, one], [, other]) => one.bytes - other.bytes)) {
          if (this.#take(path, queue)) queue.tookAt = tookAt = now;
          else if (now - queue.tookAt > PATIENCE.lost) this.#giveUp(path, queue);
          if (queue.datagrams.length === 0) this.#queues.delete(path);
        }
        if (now - tookAt > PATIENCE.stalled && this.#options.isClogged()) {
          tookAt = now;
          this.#options.unclog();
        }
        await (now - tookAt < RETRY.atOnce ? nextTurn() : delay(RETRY.every, { signal: this.#closing.signal }));
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** Tells whether so many bytes more may wait; throws away what waits for the peer that is owed most, if that is more. */
  #hasRoom(size: number, queue: Queue): boolean {
    if (this.#bytes + size <= ROOM.all) return true;
    const [path, most] = [...this.#queues].reduce((one, other) => other[1].bytes > one[1].bytes ? other : one);
    if (most.bytes <= queue.bytes + size) return false;
    this.#giveUp(path, most);
    this.#queues.delete(path);
    return true;
  }

  /** Sends what a peer takes now; tells whether it took any. */
  #take(path: string, queue: Queue): boolean {
    const before = queue.datagrams.length;
    try {
      while (queue.datagrams.length > 0 && this.#options.send(queue.datagrams[0]!, path)) this.#drop(queue);
    } catch {
      // It has gone, or takes no datagram of that size.
      this.#drop(queue);
    }
    return queue.datagrams.length < before;
  }

  #giveUp(path: string, queue: Queue): void {
    while (queue.datagrams.length > 0) this.#drop(queue);
    if (this.#deaf.size >= MOST_DEAF) this.#deaf.clear();
    this.#deaf.add(path);
  }

  #drop(queue: Queue): void {
    const size = queue.datagrams.shift()!.length + ROOM.overhead;
    queue.bytes -= size;
    this.#bytes -= size;
  }
}

/** Lets whatever else is due run, for some microseconds where nothing is. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
