/**
 * What the rooms of a worker share: its sockets' events, its clock, its timers, and what it tells.
 *
 * @module
 */

import type { Epoll } from "../../lib/native/epoll.ts";
import type { Libc } from "../../lib/native/libc.ts";
import type { Outbox } from "./outbox.ts";
import type { WorkerEndpoint } from "./protocol.ts";
import type { SharedCounters } from "./shared_counters.ts";

/** Whose an event is: the two lowest bits of its tag, below the generation of a connection. */
export const TAG = { wakeup: 0, listener: 1, datagrams: 2, connection: 3 };

/** What the rooms of a worker share. */
export interface WorkerThread {
  /** The C library. */
  readonly libc: Libc;
  /** What is waited for. */
  readonly epoll: Epoll;
  /** What is served. */
  readonly endpoints: readonly WorkerEndpoint[];
  /** What it counts, which the other threads see. */
  readonly row: Float64Array<SharedArrayBuffer>;
  /** What all threads count in common. */
  readonly shared: SharedCounters;
  /** Tells what happens. */
  readonly outbox: Outbox;
  /** Whether the server ends with its first conversation. */
  readonly once: boolean;
  /** The time at the beginning of this turn, on the clock of `performance.now()`, in milliseconds. */
  now: number;
  /** The first conversation of a server that ends with it has begun: there will be no other. */
  begin(): void;
  /** It has ended. */
  end(): void;
}
