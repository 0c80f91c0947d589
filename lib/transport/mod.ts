/**
 * Sockets of every transport, as the rest of the program sees them.
 *
 * @module
 */

export * from "./address.ts";
export * from "./open.ts";
export { isDatagram, isStream, type ListedOption, listOptions, optionsOf, transportOf, transports } from "./table.ts";
export type * from "./types.ts";
export { LARGEST_UDP_PAYLOAD } from "./udp.ts";
