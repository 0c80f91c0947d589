/**
 * Sockets of every transport, as the rest of the program sees them.
 *
 * @module
 */

export * from "./address.ts";
export * from "./open.ts";
export { LARGEST_MESSAGE } from "./largest_message.ts";
export { isNative, type NativeSockets } from "./native.ts";
export { canConnectNatively, type NativeClient } from "./native_client.ts";
export {
  isDatagram,
  isStream,
  largestMessage,
  type ListedOption,
  listOptions,
  optionsOf,
  transportOf,
  transports,
} from "./table.ts";
export type * from "./types.ts";
export { LARGEST_UDP_PAYLOAD } from "./udp.ts";
