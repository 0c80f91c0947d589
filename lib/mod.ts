/**
 * What meari's server and client share, for programs that build on them: endpoints, transports, units and errors.
 *
 * @module
 */

export {
  DEFAULT_HOST,
  DEFAULT_PORT,
  type EndpointDefaults,
  formatEndpoint,
  parseEndpoint,
  parsePort,
} from "./endpoint.ts";
export * from "./errors.ts";
export * from "./escape.ts";
export * from "./hexdump.ts";
export * from "./quit.ts";
export * from "./transport/mod.ts";
export * from "./units.ts";
export { VERSION } from "./version.ts";
