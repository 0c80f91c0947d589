/**
 * The loop of a worker: it waits in epoll, serves what is told, and begins anew.
 *
 * @module
 */

import { Epoll } from "../../lib/native/epoll.ts";
import type { Libc } from "../../lib/native/libc.ts";
import { LINUX } from "../../lib/native/linux.ts";
import { Wakeup } from "../../lib/native/wakeup.ts";
import { DRAIN_TICK } from "../drain.ts";
import { DatagramGuard } from "../guard/datagram_guard.ts";
import { Datagrams } from "./datagrams.ts";
import { Listeners } from "./listeners.ts";
import { Outbox } from "./outbox.ts";
import type { FromWorker, ToWorker, WorkerEndpoint, WorkerPlan } from "./protocol.ts";
import { SharedCounters } from "./shared_counters.ts";
import { Streams } from "./streams.ts";
import { TAG, type WorkerThread } from "./thread.ts";

/** The bits of a tag that say whose an event is. */
const KIND = 3;

/** A worker that serves sockets until it is told to stop. */
export class WorkerLoop implements WorkerThread, Disposable {
  readonly libc: Libc;
  readonly epoll: Epoll;
  readonly endpoints: readonly WorkerEndpoint[];
  readonly row: Float64Array<SharedArrayBuffer>;
  readonly shared: SharedCounters;
  readonly outbox: Outbox;
  readonly once: boolean;
  now = performance.now();
  #post: (message: FromWorker) => void;
  #wakeup: Wakeup;
  #listeners: Listeners;
  #streams: Streams;
  #datagrams: Datagrams;
  /** When the server stops: by when all is to be ended, and when to look next. */
  #drain: { deadline: number; next: number } | undefined;
  #closed = false;

  /**
   * @param plan What to serve.
   * @param libc The C library, which must stay open as long as this.
   * @param post Sends to the main thread.
   */
  constructor(plan: WorkerPlan, libc: Libc, post: (message: FromWorker) => void) {
    this.libc = libc;
    this.endpoints = plan.endpoints;
    this.once = plan.once;
    this.#post = post;
    this.shared = new SharedCounters(plan.workers, plan.memory);
    this.row = this.shared.row(plan.number);
    this.outbox = new Outbox((message) => {
      post(message);
      this.shared.sent(plan.number);
    }, this.shared.rates);
    using unlessReady = new DisposableStack();
    this.epoll = unlessReady.use(new Epoll(libc));
    this.#wakeup = new Wakeup(libc, plan.wakeup);
    this.epoll.add(plan.wakeup, LINUX.EPOLLIN, TAG.wakeup);
    const streams = this.#streams = new Streams(this);
    this.#listeners = new Listeners(this, (fd, endpoint, peer) => streams.begin(fd, endpoint, peer));
    this.#datagrams = new Datagrams(this, new DatagramGuard(plan.datagramAddresses));
    unlessReady.move();
  }

  /** Whether nothing is left to serve. */
  get over(): boolean {
    return this.#closed && this.#streams.open === 0 && this.#datagrams.closed;
  }

  /**
   * Serves until nothing is left, or messages of the main thread are to be taken.
   *
   * @returns How many there are.
   */
  run(): number {
    let messages = 0;
    while (messages === 0 && !this.over) {
      const count = this.epoll.wait(this.#timeout());
      this.now = performance.now();
      for (let i = 0; i < count; i++) {
        const tag = this.epoll.tag(i);
        switch (tag & KIND) {
          case TAG.connection:
            this.#streams.serve(this.epoll.fd(i), tag, this.epoll.happened(i));
            break;
          case TAG.datagrams:
            this.#datagrams.serve(tag >> 2, this.epoll.happened(i));
            break;
          case TAG.listener:
            this.#listeners.accept(tag >> 2);
            break;
          default:
            messages = this.#wakeup.take();
        }
      }
      this.#tick();
    }
    return messages;
  }

  /**
   * Takes a message of the main thread.
   *
   * @param message What it says.
   */
  take(message: ToWorker): void {
    this.now = performance.now();
    if (message === "close") this.#close();
    else if (message === "kill") this.#kill();
    else if ("drain" in message) {
      this.#listeners.close();
      this.#closed = true;
      this.#drain = { deadline: this.now + message.drain, next: this.now };
    }
  }

  begin(): void {
    this.#post("begun");
    this.#close();
  }

  end(): void {
    // What has happened before comes first.
    this.outbox.end();
    this.#post("ended");
  }

  /** Ends all that is left, and tells what there is to tell. After a fault another loop goes on with the listeners. */
  [Symbol.dispose](): void {
    this.#streams.kill();
    this.outbox.end();
    this.epoll[Symbol.dispose]();
  }

  /** Lets nobody in any more. */
  #close(): void {
    this.#closed = true;
    this.#listeners.close();
    this.#datagrams.close();
  }

  #kill(): void {
    this.#close();
    this.#streams.kill();
  }

  #timeout(): number {
    const due = Math.min(this.outbox.due, this.#streams.due, this.#listeners.due, this.#drain?.next ?? Infinity);
    // Rounded up: what is not due yet when the time is over would be waited for again and again.
    return due === Infinity ? -1 : Math.max(0, Math.ceil(due - this.now));
  }

  #tick(): void {
    const { now } = this;
    if (this.#streams.due <= now) this.#streams.tick();
    if (this.#listeners.due <= now) this.#listeners.tick();
    if (this.#drain !== undefined && this.#drain.next <= now) {
      this.#streams.drain();
      this.#datagrams.drain();
      if (now >= this.#drain.deadline) this.#kill();
      this.#drain.next = now + DRAIN_TICK;
    }
    if (this.outbox.due <= now) this.outbox.flush(now);
  }
}
