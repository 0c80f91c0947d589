/**
 * Hosts and their addresses.
 *
 * @module
 */

/**
 * Finds the addresses of a host, as the system's resolver has them.
 *
 * @param host A name, or an IP address, which stands for itself.
 * @returns IP addresses, at least one, in the resolver's order.
 * @throws `ENOTFOUND` for an unknown name.
 */
export async function addressesOf(host: string): Promise<string[]> {
  if (host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return [host];
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
