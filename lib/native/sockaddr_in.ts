/**
 * Addresses of IP sockets, as system calls take and give them.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { LINUX } from "./linux.ts";

/** How many bytes `struct sockaddr_in` and `struct sockaddr_in6` have (`linux/in.h`, `linux/in6.h`). */
export const SOCKADDR_IN_BYTES = 16;
/** The longer of the two. */
export const SOCKADDR_IN6_BYTES = 28;

/** Where `sin_port` and `sin6_port` are, in network byte order, and where the addresses are. */
const PORT = 2, IPV4 = 4, IPV6 = 8;

/** An IP address and a port. */
export interface HostPort {
  /** An IP address without brackets. */
  hostname: string;
  /** The port. */
  port: number;
}

/**
 * Writes the address of an IP socket: `struct sockaddr_in { u16 family; be16 port; be32 addr; u8 zero[8]; }`, or
 * `struct sockaddr_in6 { u16 family; be16 port; be32 flowinfo; u8 addr[16]; u32 scope_id; }`.
 *
 * @param libc The C library.
 * @param hostname An IP address without brackets and without a zone.
 * @param port The port.
 * @returns The structure.
 * @throws {TypeError} If it is not an IP address.
 */
export function encodeSockaddr(libc: Libc, { hostname, port }: HostPort): Uint8Array<ArrayBuffer> {
  const six = hostname.includes(":");
  const bytes = new Uint8Array(new ArrayBuffer(six ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES));
  const family = six ? LINUX.AF_INET6 : LINUX.AF_INET;
  // Each system that Deno runs on is little-endian.
  bytes[0] = family;
  bytes[PORT] = port >> 8;
  bytes[PORT + 1] = port;
  const text = new TextEncoder().encode(`${hostname}\0`);
  if (libc.symbols.inet_pton(family, text, bytes.subarray(six ? IPV6 : IPV4)) !== 1) {
    throw new TypeError(`"${hostname}" is not an IP address`);
  }
  return bytes;
}

/**
 * Reads the port of an address.
 *
 * @param bytes Where it is.
 * @param at Where in it the address begins.
 * @returns The port.
 */
export function portOfSockaddr(bytes: Uint8Array, at = 0): number {
  return bytes[at + PORT]! << 8 | bytes[at + PORT + 1]!;
}

/**
 * Reads an address.
 *
 * @param libc The C library.
 * @param bytes Where it is.
 * @param at Where in it the address begins.
 * @returns The IP address and the port.
 */
export function decodeSockaddr(libc: Libc, bytes: Uint8Array<ArrayBuffer>, at = 0): HostPort {
  const family = bytes[at]!;
  const text = new Uint8Array(46);
  const address = bytes.subarray(at + (family === LINUX.AF_INET6 ? IPV6 : IPV4));
  libc.symbols.inet_ntop(family, address, text, text.length);
  return { hostname: new TextDecoder().decode(text.subarray(0, text.indexOf(0))), port: portOfSockaddr(bytes, at) };
}
