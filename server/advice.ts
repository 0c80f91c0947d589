/**
 * What to do when an endpoint cannot be listened on.
 *
 * @module
 */

import { errorCode, isUnknownHost } from "../lib/errors.ts";
import { EndpointError } from "../lib/transport/mod.ts";

/**
 * Says what the user of the server can do about an error.
 *
 * @param error Whatever was thrown.
 * @returns The way out, where there is one to tell.
 */
export function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof EndpointError)) return undefined;
  const { cause, endpoint } = error;
  if (isUnknownHost(cause)) return "check the spelling, or use an IP address of this machine";
  const path = "path" in endpoint;
  switch (errorCode(cause)) {
    case "EADDRINUSE":
      return path
        ? "a server is listening there; stop it, or choose another path"
        : "stop the program that has it, choose another port with -p, or let the kernel choose with -p 0";
    case "EADDRNOTAVAIL":
      return "use 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network";
    case "EACCES":
      return path ? "check the rights of the folder" : "ports below 1024 need privileges; choose a higher one with -p";
    case "ENOENT":
      return path ? "make the folder first" : undefined;
  }
}
