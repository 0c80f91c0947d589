/**
 * Addresses of sockets, in words.
 *
 * @module
 */

import type { Address } from "./types.ts";

/**
 * Writes a host and a port, an IPv6 address in brackets.
 *
 * @param host A name or an IP address.
 * @param port The port.
 * @returns Text such as `127.0.0.1:7` or `[::1]:7`.
 */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Writes an address for people. An IPv4 peer of a socket that serves both families is written as IPv4.
 *
 * @param address The address of a socket.
 * @returns Text such as `127.0.0.1:65456`, `[::1]:7` or a path.
 */
export function formatAddress(address: Address): string {
  if ("path" in address) return address.path || "(unnamed)";
  return formatHostPort(plainHost(address.hostname), address.port);
}

/**
 * Undoes the IPv4-mapped form (RFC 4291 section 2.5.5.2) in which IPv4 peers of a socket on `::` appear.
 *
 * @param hostname An IP address.
 * @returns The IPv4 address of `::ffff:a.b.c.d`; any other address as it is.
 */
export function plainHost(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/i, "");
}
