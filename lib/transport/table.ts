/**
 * The table of transports: a new one is a file of this folder and a row here.
 *
 * @module
 */

import { MeariError } from "../errors.ts";
import { tcp } from "./tcp.ts";
import type { Endpoint, EndpointOption, EndpointOptions, Side, Transport } from "./types.ts";
import { udp } from "./udp.ts";
import { unixgram } from "./unix/datagram.ts";
import { unix } from "./unix/stream.ts";

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

/**
 * Tells how long a message to an endpoint may be.
 *
 * @param endpoint The endpoint.
 * @returns The most bytes; `Infinity` on a stream.
 */
export function largestMessage(endpoint: Endpoint): number {
  const transport = transportOf(endpoint);
  return transport.kind === "stream" ? Infinity : transport.largestMessage;
}

/**
 * The options that the endpoints of a transport may carry.
 *
 * @param transport A row of the table.
 * @param side What the endpoint is for.
 * @returns The options by name; none where it has none.
 */
export function optionsOf(transport: Transport, side: Side): EndpointOptions {
  return (side === "listen" ? transport.listenOptions : transport.connectOptions) ?? {};
}

/** An option of endpoints, and which endpoints have it. */
export interface ListedOption {
  /** Its name. */
  name: string;
  /** What it is. */
  option: EndpointOption;
  /** The names of the transports whose endpoints may carry it. */
  transports: string[];
}

/**
 * Lists the options of all transports, for the help. An option that several transports share is listed once.
 *
 * @param side What the endpoints are for.
 * @returns The options, in the order of the table.
 */
export function listOptions(side: Side): ListedOption[] {
  const listed: ListedOption[] = [];
  for (const [transport, row] of transports) {
    for (const [name, option] of Object.entries(optionsOf(row, side))) {
      const known = listed.find((each) => each.name === name && each.option === option);
      if (known) known.transports.push(transport);
      else listed.push({ name, option, transports: [transport] });
    }
  }
  return listed;
}
