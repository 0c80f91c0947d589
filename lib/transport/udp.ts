/**
 * Datagrams over UDP.
 *
 * @module
 */

import { DatagramConn } from "./datagram_conn.ts";
import { datagramAddressOf } from "./host.ts";
import type { Bounds, DatagramSocket, DatagramTransport, InetEndpoint, MessageConn } from "./types.ts";

/** The most bytes that a UDP datagram over IPv4 carries: 65,535 less the headers of IP (RFC 791) and UDP (RFC 768). */
export const LARGEST_UDP_PAYLOAD = 65_507;

/** Datagrams over UDP. */
export const udp: DatagramTransport = {
  kind: "datagram",
  form: "inet",
  help: "datagrams over UDP",
  largestMessage: LARGEST_UDP_PAYLOAD,
  listen: (endpoint: InetEndpoint) => bind(endpoint.host, endpoint.port),
  connect,
};

/**
 * The socket is of the family of the server's address. A name is looked up once, here, because Deno looks it up again for
 * each datagram otherwise. A server that is bound to every address may answer from another one than it was asked at, but
 * from the same port.
 *
 * A port at which nobody listens goes unnoticed: Linux tells an ICMP refusal only to a socket that is connected (connect(2))
 * or asks for it (IP_RECVERR), which Deno's is and does not.
 */
async function connect(endpoint: InetEndpoint, bounds: Bounds): Promise<MessageConn> {
  const hostname = await datagramAddressOf(endpoint.host, bounds);
  const socket = bind(anyAddress(hostname), 0);
  return new DatagramConn(socket, { transport: "udp", hostname, port: endpoint.port }, (from) => {
    return "port" in from && from.port === endpoint.port;
  });
}

/**
 * The address for a socket that talks to a server from whatever address of this machine.
 *
 * @param hostname The server's IP address.
 * @returns The unspecified address of its family.
 */
export function anyAddress(hostname: string): string {
  return hostname.includes(":") ? "::" : "0.0.0.0";
}

function bind(hostname: string, port: number): DatagramSocket {
  // Deno's type allows more kinds of address; a UDP socket knows one.
  return Deno.listenDatagram({ transport: "udp", hostname, port }) as DatagramSocket;
}
