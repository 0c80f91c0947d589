/**
 * Endpoints: the places that meari listens on and connects to, as people write them.
 *
 * @module
 */

import { UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { formatHostPort } from "./transport/address.ts";
import { optionsOf, transports } from "./transport/table.ts";
import type { Endpoint, EndpointOptions, EndpointValue, Side } from "./transport/types.ts";

export type { Endpoint, InetEndpoint, UnixEndpoint } from "./transport/types.ts";

/** What {@linkcode parseEndpoint} fills in where the text is silent, and what it allows. */
export interface EndpointDefaults {
  /** The transport where none is written. Default: `tcp`. */
  transport?: string;
  /** The host where none is written. Default: `127.0.0.1`. */
  host?: string;
  /** The port where none is written. Default: 65456. */
  port?: number;
  /** The options that may stand behind `?`, besides those of the transport. Default: none. */
  options?: EndpointOptions;
  /** What the endpoint is for, which decides the options of the transport. Default: `connect`. */
  side?: Side;
}

/** Where both programs meet if nothing else is said: the seed's address. */
export const DEFAULT_HOST = "127.0.0.1";

/** The seed's port. */
export const DEFAULT_PORT = 65456;

/**
 * Reads an endpoint: `tcp://127.0.0.1:65456`, `udp://[::1]:7`, `unix:///run/meari.sock`, `unixgram:relative.sock`; also
 * `host:port`, `:port` and `host` alone. Options may follow as a query: `tcp://:7?no-quit`.
 *
 * @param text What the user wrote.
 * @param defaults What to fill in where the text is silent.
 * @returns The endpoint.
 * @throws {UsageError} If the text is not an endpoint; the message says why.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseEndpoint("udp://[::1]:7"), { transport: "udp", host: "::1", port: 7 });
 * assertEquals(parseEndpoint(":7000"), { transport: "tcp", host: "127.0.0.1", port: 7000 });
 * assertEquals(parseEndpoint("unix:///run/meari.sock"), { transport: "unix", path: "/run/meari.sock" });
 * ```
 */
export function parseEndpoint(text: string, defaults: EndpointDefaults = {}): Endpoint {
  const fail = (why: string) => new UsageError(escapeControls(`"${text}" is not an endpoint: ${why}`));
  const mark = text.indexOf("?");
  const place = mark < 0 ? text : text.slice(0, mark);

  const scheme = /^([a-z][a-z0-9+.-]*):(?=\/\/)/i.exec(place) ?? PATH_SCHEME.exec(place);
  const name = scheme?.[1]?.toLowerCase();
  const transport = name ?? defaults.transport ?? "tcp";
  const row = transports.get(transport);
  if (row === undefined) throw fail(`there is no transport "${name}"; there are ${[...transports.keys()].join(", ")}`);
  const allowed = { ...optionsOf(row, defaults.side ?? "connect"), ...defaults.options };
  const options = mark < 0 ? {} : { options: parseOptions(text.slice(mark + 1), allowed, fail) };
  const rest = scheme ? place.slice(scheme[0].length).replace(/^\/\//, "") : place;

  if (row.form === "path") {
    const path = decode(rest, fail);
    if (path === "") throw fail(`it needs a path, as in ${transport}:///run/meari.sock`);
    if (path.includes("\0")) throw fail("a path cannot hold a zero byte");
    return { transport, path, ...options };
  }
  const authority = scheme ? rest.replace(/\/$/, "") : rest;
  const parts = /^(\[([^\]]*)\]|[^:[\]]*)(?::(.*))?$/.exec(authority);
  if (parts === null || parts[3]?.includes(":")) {
    throw fail(
      authority.includes("::") || parts?.[3]?.includes(":")
        ? "write an IPv6 address in brackets, as in tcp://[::1]:65456"
        : "write it like tcp://host:port, host:port or unix:///path",
    );
  }
  const [, written = "", bracketed, digits] = parts;
  if (bracketed !== undefined && !/^[0-9a-f:.]+(%[\w.-]+)?$/i.test(bracketed)) {
    throw fail("what stands in brackets is not an IPv6 address");
  }
  if (/[\s/@\\]/.test(written) || written.search(UNSAFE) >= 0) throw fail(`"${written}" is not a host name`);
  if (name === undefined && digits === undefined && /^\d+$/.test(written)) {
    throw fail(`for port ${written} of the default host write :${written}`);
  }
  if (name === undefined && authority === "") throw fail("it is empty");
  return {
    transport,
    host: (bracketed ?? written) || (defaults.host ?? DEFAULT_HOST),
    port: digits === undefined ? defaults.port ?? DEFAULT_PORT : parsePort(digits),
    ...options,
  };
}

/**
 * Writes an endpoint so that {@linkcode parseEndpoint} reads it back, and so that it can be shown anywhere: what a terminal
 * acts on or does not show is percent-encoded.
 *
 * @param endpoint The endpoint.
 * @returns Text such as `tcp://[::1]:65456`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatEndpoint({ transport: "tcp", host: "::1", port: 7 }), "tcp://[::1]:7");
 * assertEquals(formatEndpoint({ transport: "unix", path: "/tmp/a\nb" }), "unix:///tmp/a%0Ab");
 * ```
 */
export function formatEndpoint(endpoint: Endpoint): string {
  const place = "path" in endpoint
    ? endpoint.path.replace(/[%?]/g, encodeURIComponent)
    : formatHostPort(endpoint.host, endpoint.port);
  const query = Object.entries(endpoint.options ?? {})
    .map(([key, value]) => value === true ? key : `${key}=${encodeURIComponent(value)}`).join("&");
  const text = `${endpoint.transport}://${place}`.replace(UNSAFE, encodeURIComponent);
  return query === "" ? text : `${text}?${query}`;
}

/**
 * Reads a port number.
 *
 * @param text Decimal digits.
 * @returns 0 to 65535.
 * @throws {UsageError} If the text is not a port number.
 */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) {
    throw new UsageError(`"${escapeControls(text)}" is not a port; a port is a number from 0 to 65535`);
  }
  return port;
}

/** Control characters, line and paragraph separators, and all that is not seen or turns the direction of others. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Paths may follow without slashes: `unix:relative.sock`. */
const PATH_SCHEME = new RegExp(
  `^(${[...transports].filter(([, { form }]) => form === "path").map(([name]) => name).join("|")}):`,
  "i",
);

type Failure = (why: string) => UsageError;

function parseOptions(query: string, allowed: EndpointOptions, fail: Failure): Record<string, EndpointValue> {
  const values: Record<string, EndpointValue> = {};
  for (const [key, text] of new URLSearchParams(query)) {
    const option = Object.hasOwn(allowed, key) ? allowed[key]! : undefined;
    if (option === undefined) {
      const names = Object.keys(allowed);
      throw fail(`it has no option "${key}"; ${names.length === 0 ? "it takes none" : `there is ${names.join(", ")}`}`);
    }
    if (option.value === undefined && text !== "") throw fail(`${key} takes no value; leave it out to switch it off`);
    values[key] = option.parse(text);
  }
  return values;
}

function decode(text: string, fail: Failure): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fail("a % must be followed by two hex digits; write % itself as %25");
  }
}
