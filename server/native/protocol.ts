/**
 * What the server and its workers tell each other, as plain data.
 *
 * @module
 */

import type { Ending } from "../../lib/cli/messages.ts";
import type { Address, InetAddress } from "../../lib/transport/mod.ts";
import type { Limited } from "../events.ts";
import type { DatagramRefusal } from "../guard/datagram_guard.ts";

/** An endpoint as a worker serves it; the workers have its number in common. */
export interface WorkerEndpoint {
  /** The descriptor of the worker's own socket. */
  fd: number;
  /** Whether it accepts connections or takes datagrams. */
  type: "stream" | "datagram";
  /** Where it is bound. */
  addr: InetAddress;
  /** Whether `quit` alone ends a conversation. */
  quit: boolean;
}

/** What a worker is to do. */
export interface WorkerPlan {
  /** Its number, from 0 on. */
  number: number;
  /** How many there are. */
  workers: number;
  /** The counters of all, and how many events of each kind anybody wants. */
  memory: SharedArrayBuffer;
  /** The descriptor by which it is woken for a message. */
  wakeup: number;
  /** What it serves. */
  endpoints: WorkerEndpoint[];
  /** Where all sockets of datagrams of the server are bound, also those that others serve. */
  datagramAddresses: Address[];
  /** Whether the server ends with its first conversation. */
  once: boolean;
}

/** What a worker is told: its plan first; then to accept no more, to end within a time, or at once. */
export type ToWorker = { plan: WorkerPlan } | "close" | { drain: number } | "kill";

/** What happens in a worker. Endpoints are told by their number. */
export type WorkerEvent =
  | { type: "connected"; endpoint: number; connection: number; peer: InetAddress }
  | {
    type: "echoed";
    endpoint: number;
    connection: number | undefined;
    peer: InetAddress;
    message: Uint8Array;
    offset: number;
  }
  | {
    type: "disconnected";
    endpoint: number;
    connection: number;
    peer: InetAddress;
    how: Ending;
    messages: number;
    bytes: number;
    duration: number;
  }
  | { type: "refused"; endpoint: number; peer: InetAddress; reason: DatagramRefusal }
  | { type: "failed"; endpoint: number; operation: "accept" | "receive" | "send"; peer?: InetAddress; cause: string }
  | { type: "omitted"; of: Limited; count: number; bytes: number };

/**
 * What a worker tells: what has happened; that the first conversation of a server that ends with it began, or ended; its
 * end, or why it dies.
 */
export type FromWorker = { events: WorkerEvent[] } | "begun" | "ended" | "stopped" | { fault: string };
