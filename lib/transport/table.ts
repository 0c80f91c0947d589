/**
 * The table of transports: a new one is a file of this folder and a row here.
 *
 * @module
 */

import { MeariError } from "../errors.ts";
import { tcp } from "./tcp.ts";
import type { Endpoint, Transport } from "./types.ts";
import { udp } from "./udp.ts";
import { unix } from "./unix.ts";
import { unixgram } from "./unixgram.ts";

/** The transports there are, by the name that stands in front of an endpoint. */
export const transports: ReadonlyMap<string, Transport> = new Map<string, Transport>([
  ["tcp", tcp],
  ["udp", udp],
  ["unix", unix],
  ["unixgram", unixgram],
]);

/**
 * Finds the transport of an endpoint.
 *
 * @param endpoint The endpoint.
 * @returns The row of the table.
 * @throws {MeariError} If there is no such transport.
 */
export function transportOf(endpoint: Endpoint): Transport {
  const transport = transports.get(endpoint.transport);
  if (transport === undefined) throw new MeariError(`there is no transport "${endpoint.transport}"`);
  return transport;
}

/**
 * Tells whether an endpoint carries byte streams rather than messages.
 *
 * @param endpoint The endpoint.
 * @returns `true` for `tcp` and `unix`.
 */
export function isStream(endpoint: Endpoint): boolean {
  return transportOf(endpoint).kind === "stream";
}

/**
 * Tells whether an endpoint carries datagrams, which may be lost.
 *
 * @param endpoint The endpoint.
 * @returns `true` for `udp` and `unixgram`.
 */
export function isDatagram(endpoint: Endpoint): boolean {
  return transportOf(endpoint).kind === "datagram";
}
