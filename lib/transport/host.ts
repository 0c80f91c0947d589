/**
 * Hosts and their addresses.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";

/**
 * Finds the addresses of a host, as the system's resolver has them.
 *
 * @param host A name, or an IP address, which stands for itself.
 * @param signal Ends the wait for the resolver.
 * @returns IP addresses, at least one, in the resolver's order.
 * @throws `ENOTFOUND` for an unknown name, or the signal's reason.
 */
export async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  if (host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return [host];
  const { lookup } = await import("node:dns/promises");
  return (await abortable(lookup(host, { all: true }), signal)).map(({ address }) => address);
}
