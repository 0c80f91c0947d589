/**
 * The loads under which servers are measured.
 *
 * @module
 */

import { formatSize, plural } from "../../lib/units.ts";

/** What is measured. Of all but memory and latency, more is better. */
export type Figure =
  | "messages_per_s"
  | "bytes_per_s"
  | "latency_p99_us"
  | "fairness"
  | "accepts_per_s"
  | "bytes_per_connection";

/** The loads by the names that `--only` takes, with what each is. */
export const LOADS = {
  small: "64 connections, messages of 64 bytes, one in flight on each: messages a second",
  fair:
    "1,000 connections, messages of 64 bytes, one in flight on each: the 5th percentile of answers per connection over their median",
  rtt: "one connection, a message of 64 bytes at a time: messages a second",
  bulk: "8 connections, 256 KiB in flight on each: MB a second each way",
  udp: "8 sockets, 8 datagrams of 64 bytes in flight on each: datagrams a second",
  "udp-rtt": "one socket, a datagram of 64 bytes at a time: datagrams a second",
  idle: "5,000 connections opened and answered once: accepts a second, and KB of memory that each costs",
  connections: "1 to 10,000 connections, messages of 64 bytes, one in flight on each",
  payload: "8 connections, messages of 1 byte to 1 MiB, one in flight on each",
} as const;

/** The name of a load. */
export type LoadName = keyof typeof LOADS;

/** One load. It may be a point of one that grows, or of two. */
export interface Load {
  /** What it is measured for: its own name, if it has one, and the loads that grow of which it is a point. */
  names: readonly LoadName[];
  /** What carries it. */
  transport: "tcp" | "udp";
  /** How many connections, or sockets of datagrams. */
  connections: number;
  /** The bytes of a message. */
  size: number;
  /** How many messages are in flight on each. */
  depth: number;
  /** What carries it: `meari bench`, or `connections.c` for what that does not tell. */
  by: "bench" | "connections";
  /** Whether it takes a server that has served nothing yet: memory that was freed once hides what a connection costs. */
  fresh?: boolean;
}

const MESSAGE = { transport: "tcp", size: 64, depth: 1, by: "bench" } as const;

const ALL: readonly Load[] = [
  { ...MESSAGE, names: ["small", "connections"], connections: 64 },
  { ...MESSAGE, names: ["fair"], connections: 1000, by: "connections" },
  { ...MESSAGE, names: ["rtt", "connections"], connections: 1 },
  { ...MESSAGE, names: ["bulk"], connections: 8, size: 65_536, depth: 4 },
  { ...MESSAGE, names: ["udp"], transport: "udp", connections: 8, depth: 8 },
  { ...MESSAGE, names: ["udp-rtt"], transport: "udp", connections: 1 },
  { ...MESSAGE, names: ["idle"], connections: 5000, by: "connections", fresh: true },
  { ...MESSAGE, names: ["connections", "payload"], connections: 8 },
  { ...MESSAGE, names: ["connections"], connections: 1000 },
  { ...MESSAGE, names: ["connections"], connections: 10_000 },
  { ...MESSAGE, names: ["payload"], connections: 8, size: 1 },
  { ...MESSAGE, names: ["payload"], connections: 8, size: 1024 },
  { ...MESSAGE, names: ["payload"], connections: 8, size: 32_768 },
  { ...MESSAGE, names: ["payload"], connections: 8, size: 1_048_576 },
];

/** How many descriptors a server or a generator needs besides one for each connection. */
const SPARE_DESCRIPTORS = 64;

/**
 * Tells which loads there are.
 *
 * @param names The names of those that are wanted.
 * @param descriptors How many files a program may have open.
 * @returns The loads in their order, by their wanted names, and those of them that need more descriptors.
 */
export function loadsOf(names: readonly LoadName[], descriptors: number): { loads: Load[]; tooLarge: Load[] } {
  const { loads = [], tooLarge = [] } = Object.groupBy(
    ALL.map((load) => ({ ...load, names: load.names.filter((name) => names.includes(name)) }))
      .filter(({ names }) => names.length > 0),
    ({ connections }) => connections + SPARE_DESCRIPTORS <= descriptors ? "loads" : "tooLarge",
  );
  return { loads, tooLarge };
}

/**
 * Names a load where it stands alone.
 *
 * @param load The load.
 * @returns Its own name, or what tells it from the other points of one that grows.
 */
export function titleOf({ names: [name], connections, size }: Pick<Load, "names" | "connections" | "size">): string {
  return name === "connections" ? plural(connections, "connection") : name === "payload" ? formatSize(size) : name!;
}

/**
 * Tells whether a server can be measured under a load. One that makes a process of each connection cannot with many, nor
 * with more in flight than the pipes to a process hold: it would wait for that process while the process waits for it.
 *
 * @param server The server.
 * @param load The load.
 * @returns Whether it can.
 */
export function suits(server: { forks?: boolean }, { transport, connections, size, depth }: Load): boolean {
  return !server.forks || (transport === "tcp" && connections <= 10 && size * depth <= 4096);
}
