/**
 * What to do when a server cannot be reached.
 *
 * @module
 */

import { errorCode, isUnknownHost } from "../lib/errors.ts";
import { type Endpoint, EndpointError, transportOf, transports } from "../lib/transport/mod.ts";

/**
 * Says what the user of the client can do about an error.
 *
 * @param error Whatever was thrown.
 * @returns The way out, where there is one to tell.
 */
export function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof EndpointError)) return undefined;
  const { cause, endpoint } = error;
  if (isUnknownHost(cause)) return "check the spelling, or use an IP address";
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return "a firewall may be in the way; --timeout allows more time";
  }
  const path = "path" in endpoint;
  switch (errorCode(cause)) {
    case "ECONNREFUSED":
      return "is the server running? start one with meari-server";
    case "ENOENT":
      return path ? "is the server running? start one with meari-server" : undefined;
    case "EACCES":
      return path ? "check the rights of the socket file" : undefined;
    case "EPROTOTYPE":
      return `use ${otherKinds(endpoint).join(" or ")} for the other kind`;
  }
}

/** The transports of another kind whose endpoints are written alike. */
function otherKinds(endpoint: Endpoint): string[] {
  const { form, kind } = transportOf(endpoint);
  return [...transports].filter(([, row]) => row.form === form && row.kind !== kind).map(([name]) => `${name}://`);
}
