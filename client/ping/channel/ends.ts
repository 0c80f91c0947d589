/**
 * What ends a conversation in probes and answers, whatever carries it.
 *
 * @module
 */

import { formatSize } from "../../../lib/units.ts";

/** How many bytes may wait for a server, or a path to it, that takes less than is sent. */
export const LARGEST_BACKLOG = 64 * 1024 * 1024;

/** What a probe that waits takes besides its own bytes, about. */
export const WAITING_OVERHEAD = 512;

/** How many bytes more than it received a server may send before it is given up. */
export const LARGEST_SURPLUS = 64 * 1024;

/** Why a conversation ends, in words. */
export const END = {
  closed: "the server closed the connection",
  surplus: "the server sends more than it receives",
  backlog: `the server takes less than is sent: ${formatSize(LARGEST_BACKLOG)} wait`,
} as const;

/** How sending fails where nobody is at an endpoint, and not just where one message does not get through. */
const NOBODY_THERE = [
  "EACCES",
  "ECONNREFUSED",
  "EINVAL",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENOTSOCK",
  "EPROTOTYPE",
];

/**
 * Tells whether an error means that nobody is at an endpoint.
 *
 * @param code The error's code.
 * @returns Whether it does, and not just that one message does not get through.
 */
export function isNobodyThere(code: string | undefined): boolean {
  return NOBODY_THERE.includes(code ?? "");
}
