/**
 * Stdout that was closed when the program started.
 *
 * @module
 */

import { openLibc } from "./libc.ts";
import { LINUX } from "./linux.ts";

/**
 * Tells whether stdout was closed when the program started. The runtime then opens /dev/null in its place, for reading and
 * writing, where a shell's `> /dev/null` is for writing alone. (A parent may hand down such a /dev/null as well, as Python's
 * DEVNULL is one, and nothing tells these two apart.)
 *
 * @returns Whether it was; `false` where that cannot be found out.
 */
export function isStdoutDiscarded(): boolean {
  const libc = openLibc();
  if (libc === undefined) return false;
  const { fcntl, readlink } = libc.symbols;
  const target = new Uint8Array(64);
  const length = readlink(new TextEncoder().encode("/proc/self/fd/1\0"), target, BigInt(target.length));
  const flags = fcntl(1, LINUX.F_GETFL);
  libc.close();
  const path = new TextDecoder().decode(target.subarray(0, Math.max(length, 0)));
  return path === "/dev/null" && flags >= 0 && (flags & LINUX.O_ACCMODE) === LINUX.O_RDWR;
}
