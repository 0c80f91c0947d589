/**
 * Datagrams over UDP.
 *
 * @module
 */

import type { InetEndpoint } from "../endpoint.ts";
import { addressesOf } from "./host.ts";
import type { DatagramClient, DatagramSocket } from "./types.ts";

/**
 * Binds a UDP socket.
 *
 * @param endpoint Where; port 0 lets the kernel choose.
 * @returns The socket.
 * @throws The operating system's error.
 */
export function bindUdp(endpoint: InetEndpoint): DatagramSocket {
  return bind(endpoint.host, endpoint.port);
}

/**
 * Opens a UDP socket of the family of the server's address. A name is looked up once, here, because Deno looks it up
 * again for each datagram otherwise; of several addresses an IPv4 one is preferred, as a datagram cannot find out which
 * of them is served.
 *
 * @param endpoint The server.
 * @returns The socket, bound to a port of the kernel's choice, and the server's address.
 * @throws The operating system's error, or `ENOTFOUND` for an unknown name.
 */
export async function openUdp(endpoint: InetEndpoint): Promise<DatagramClient> {
  const addresses = await addressesOf(endpoint.host);
  const hostname = addresses.find((address) => !address.includes(":")) ?? addresses[0]!;
  const socket = bind(hostname.includes(":") ? "::" : "0.0.0.0", 0);
  return { socket, peer: { transport: "udp", hostname, port: endpoint.port } };
}

function bind(hostname: string, port: number): DatagramSocket {
  // Deno's type allows more kinds of address; a UDP socket knows one.
  return Deno.listenDatagram({ transport: "udp", hostname, port }) as DatagramSocket;
}
