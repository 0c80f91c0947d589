/**
 * What the thread of a ping session is told, and what it tells.
 *
 * @module
 */

import type { InetSocketType } from "../../../lib/native/inet_socket.ts";
import type { Pace } from "../schedule.ts";

/** A session to run. */
export interface Order {
  /** The descriptor of its socket. */
  fd: number;
  /** Where datagrams go to, as the system takes it; a stream has none. */
  sockaddr?: Uint8Array<ArrayBuffer>;
  /** The descriptor of a wakeup that ends it early. */
  wakeup: number;
  /** How many reports were taken, so that no more wait than the other thread can take. */
  taken: Int32Array<SharedArrayBuffer>;
  /** The size of a probe in bytes. */
  size: number;
  /** The session id of the probes. */
  id: string;
  /** How fast probes go out. */
  pace: Pace;
}

/** Why no answer can come any more: in words, or as the number of the system's error where nobody is at the endpoint. */
export type Ending = { why: string } | { errno: number };

/** What happened since the last report. */
export interface Report {
  /** The events, of {@linkcode EventLog}. */
  events: Float64Array<ArrayBuffer>;
  /** The bytes of their answers. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Why no answer can come any more. */
  ending?: Ending;
  /** Whether the session is over. */
  done?: true;
}

/** What the thread is told: what kind of socket to get ready for, or a session. */
export type ToThread = InetSocketType | Order;

/** What the thread tells: that it can take an order, or a report. */
export type FromThread = "ready" | Report;
