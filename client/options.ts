/**
 * What the command lines of several modes of the client share.
 *
 * @module
 */

import { flag } from "../lib/cli/command_line.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../lib/endpoint.ts";
import { UsageError } from "../lib/errors.ts";
import { parseDuration } from "../lib/units.ts";

/** The option `-u`. */
export const udpOption = flag({ group: "Where", short: "u", help: "UDP for an endpoint without a transport" });

/**
 * Reads the endpoint of a client: one that can be sent to.
 *
 * @param text What the user wrote.
 * @param udp Whether the user asked for UDP.
 * @returns The endpoint.
 * @throws {UsageError} If it is none, or one that nobody can listen on.
 */
export function parseClientEndpoint(text: string, udp: boolean): Endpoint {
  const endpoint = parseEndpoint(text, { transport: udp ? "udp" : "tcp" });
  if (udp && endpoint.transport !== "udp") throw new UsageError(`--udp contradicts ${formatEndpoint(endpoint)}`);
  if ("port" in endpoint && endpoint.port === 0) {
    throw new UsageError(`nobody can be reached at port 0 of ${endpoint.host}; it only lets a server choose a port`);
  }
  return endpoint;
}

/**
 * Reads a time that something may take.
 *
 * @param text What the user wrote.
 * @returns The time in milliseconds.
 * @throws {UsageError} If it is no time, or one that no timer can measure.
 */
export function parseTimeout(text: string): number {
  const timeout = parseDuration(text);
  if (timeout < 1 || timeout > 2 ** 31 - 1) throw new UsageError(`"${text}" is out of range; from 1ms to 24 days`);
  return timeout;
}
