/**
 * A thread's loop over its sockets: it waits in the system call, and takes from each socket that is ready in turn.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { Epoll } from "../../../../lib/native/epoll.ts";
import { type Libc, openLibc } from "../../../../lib/native/libc.ts";
import type { Pacer } from "../pacer.ts";

/** After so long with nothing to do timers and messages of other threads have their turn, in milliseconds. */
const IDLE = 10;

/** The longest that these wait for their turn in any case, in milliseconds: it costs some 200 us. */
const LONGEST_SLICE = 50;

/** A wait may take as much longer than it should, in milliseconds; a message that is due sooner is not waited for. */
const WAIT_ERROR = 2;

/** Something that waits for a socket. */
export interface Watcher {
  /**
   * Told that the socket is ready.
   *
   * @param happened What for: `EPOLLIN` and others, put together.
   */
  ready(happened: number): void;
}

/** Something that has messages to send. */
export interface Sender {
  /** Sends them. */
  flush(): void;
}

/** The sockets of a thread, which must have nothing else to do. */
export class SocketLoop {
  /** The C library. */
  readonly libc: Libc;
  /** Knows what is due, where the load has a rate. */
  pacer: Pacer | undefined;
  /** For how long there was nothing to do, in milliseconds. */
  idle = 0;

  #epoll: Epoll;
  /** By descriptor. */
  #watchers: (Watcher | undefined)[] = [];
  #senders: Sender[] = [];
  #isAwaited = false;
  #over = false;
  #slice: number;
  #running: Promise<void>;

  /**
   * Begins the loop.
   *
   * @param period How often a timer of this thread goes off at the most, in milliseconds.
   */
  constructor(period: number) {
    const libc = openLibc();
    if (libc === undefined) throw new Error("the C library cannot be opened");
    this.libc = libc;
    this.#slice = Math.min(LONGEST_SLICE, period);
    this.#epoll = new Epoll(libc);
    this.#running = this.#run();
  }

  /**
   * Waits for a socket from now on.
   *
   * @param fd Its descriptor.
   * @param events What to wait for, such as `EPOLLIN`; errors and the end come in any case.
   * @param watcher Told of it.
   */
  watch(fd: number, events: number, watcher: Watcher): void {
    this.#epoll.add(fd, events);
    this.#watchers[fd] = watcher;
  }

  /**
   * Waits for something else of a socket.
   *
   * @param fd Its descriptor.
   * @param events What to wait for.
   */
  change(fd: number, events: number): void {
    this.#epoll.change(fd, events);
  }

  /**
   * Waits for a socket no more, though it stays open.
   *
   * @param fd Its descriptor.
   */
  unwatch(fd: number): void {
    this.#watchers[fd] = undefined;
    this.#epoll.remove(fd);
  }

  /**
   * Closes a socket.
   *
   * @param fd Its descriptor.
   */
  close(fd: number): void {
    this.#watchers[fd] = undefined;
    this.libc.symbols.close(fd);
  }

  /**
   * Has something send before the next wait.
   *
   * @param sender What.
   */
  flushSoon(sender: Sender): void {
    this.#senders.push(sender);
  }

  /** Lets what waits for a promise that was resolved go on soon. */
  yieldSoon(): void {
    this.#isAwaited = true;
  }

  /** Ends the loop, once its sockets are closed. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#running;
    this.#epoll[Symbol.dispose]();
    this.libc.close();
  }

  async #run(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    let listened = -Infinity;
    while (!this.#over) {
      const now = performance.now();
      await new Promise<void>((resolve) => {
        if (now - listened < IDLE) return void setImmediate(resolve);
        listened = now;
        // Without a message of its own a thread gets those of others up to 200 ms late.
        port1.onmessage = () => resolve();
        port2.postMessage(undefined);
      });
      this.#runSlice();
    }
    port1.close();
  }

  #runSlice(): void {
    let now = performance.now();
    const end = now + this.#slice;
    this.#isAwaited = false;
    /** Until when it is known whether there was anything to do. */
    let known = now;
    while (true) {
      const due = this.pacer?.sendDue(now) ?? Infinity;
      if (this.#senders.length > 0) {
        this.idle += now - known;
        for (const sender of this.#senders) sender.flush();
        this.#senders.length = 0;
        known = now = performance.now();
      }
      if (this.#isAwaited || this.#over || now >= end || now - known >= IDLE) break;
      const count = this.#epoll.wait(Math.min(IDLE, Math.max(0, Math.floor(due - now - WAIT_ERROR))));
      now = performance.now();
      if (count === 0) continue;
      this.idle += now - known;
      for (let i = 0; i < count; i++) this.#watchers[this.#epoll.fd(i)]?.ready(this.#epoll.happened(i));
      known = now = performance.now();
    }
    this.idle += now - known;
  }
}
