/**
 * What a load is, as plain data that can be sent to a thread.
 *
 * @module
 */

import type { Endpoint } from "../../../lib/transport/mod.ts";

/** The part of a load that one thread carries. Times are in milliseconds. */
export interface LoadPlan {
  /** Whom to put under load. */
  endpoint: Endpoint;
  /** Whether its links are native: straight on the system calls. */
  native: boolean;
  /** How many connections the whole load has; each has a number. */
  connections: number;
  /** The number of this thread's first connection. */
  first: number;
  /** How many connections this thread has. */
  count: number;
  /** The size of a message in bytes. */
  size: number;
  /** Messages in flight on each connection, where there is no rate. */
  depth: number;
  /** Messages a second of the whole load; `undefined` for a message for each answer. */
  rate: number | undefined;
  /** How long to send; `Infinity` where the messages are counted. */
  duration: number;
  /** How many messages the whole load has; `undefined` where the time counts. */
  messages: number | undefined;
  /** How long to send before the measurement begins. */
  warmup: number;
  /** Whether to look at what comes back. */
  verify: boolean;
  /** Whether to replace connections that fail or break. */
  reconnect: boolean;
  /** Bounds connecting, and how long a connection may owe answers and send none. */
  timeout: number;
  /** After how long a datagram that was not answered is lost. */
  wait: number;
}
