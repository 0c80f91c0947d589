/**
 * Endpoints: the places that meari listens on and connects to, as people write them.
 *
 * @module
 */

import { UsageError } from "./errors.ts";

/** The transports there are, named as in an endpoint. */
export const TRANSPORTS = ["tcp", "udp", "unix", "unixgram"] as const;

/** How an endpoint carries bytes: `tcp` and `unix` as a stream, `udp` and `unixgram` as datagrams. */
export type Transport = typeof TRANSPORTS[number];

/** An endpoint on an IP network. */
export interface InetEndpoint {
  /** A stream or datagrams. */
  transport: "tcp" | "udp";
  /** A name or an IP address; an IPv6 address without brackets. */
  host: string;
  /** 0 to 65535; 0 lets the kernel choose. */
  port: number;
  /** Options of this one endpoint, as written behind `?`. */
  options?: Readonly<Record<string, string>>;
}

/** An endpoint in the file system. */
export interface UnixEndpoint {
  /** A stream or datagrams. */
  transport: "unix" | "unixgram";
  /** The path of the socket file. */
  path: string;
  /** Options of this one endpoint, as written behind `?`. */
  options?: Readonly<Record<string, string>>;
}

/** A place to listen on or to connect to. */
export type Endpoint = InetEndpoint | UnixEndpoint;

/** What {@linkcode parseEndpoint} fills in where the text is silent, and what it allows. */
export interface EndpointDefaults {
  /** The transport where none is written. Default: `tcp`. */
  transport?: "tcp" | "udp";
  /** The host where none is written. Default: `127.0.0.1`. */
  host?: string;
  /** The port where none is written. Default: 65456. */
  port?: number;
  /** The options that may stand behind `?`. Default: none. */
  allowed?: readonly string[];
}

/** Where both programs meet if nothing else is said: the seed's address. */
export const DEFAULT_HOST = "127.0.0.1";

/** The seed's port. */
export const DEFAULT_PORT = 65456;

/**
 * Tells whether an endpoint carries datagrams rather than a stream.
 *
 * @param endpoint Any endpoint.
 * @returns `true` for `udp` and `unixgram`.
 */
export function isDatagram(endpoint: Endpoint): boolean {
  return endpoint.transport === "udp" || endpoint.transport === "unixgram";
}

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
  const fail = (why: string) => new UsageError(`"${text}" is not an endpoint: ${why}`);
  const mark = text.indexOf("?");
  const place = mark < 0 ? text : text.slice(0, mark);
  const options = mark < 0 ? {} : { options: parseOptions(text.slice(mark + 1), defaults.allowed ?? [], fail) };

  const scheme = /^(unix(?:gram)?):|^([a-z][a-z0-9+.-]*):(?=\/\/)/i.exec(place);
  const name = (scheme?.[1] ?? scheme?.[2])?.toLowerCase();
  const rest = scheme ? place.slice(scheme[0].length).replace(/^\/\//, "") : place;

  if (name === "unix" || name === "unixgram") {
    const path = decode(rest, fail);
    if (path === "") throw fail(`it needs a path, as in ${name}:///run/meari.sock`);
    if (path.includes("\0")) throw fail("a path cannot hold a zero byte");
    return { transport: name, path, ...options };
  }
  if (name !== undefined && name !== "tcp" && name !== "udp") {
    throw fail(`there is no transport "${name}"; there are ${TRANSPORTS.join(", ")}`);
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
  if (/[\s/@\\]/.test(written)) throw fail(`"${written}" is not a host name`);
  if (name === undefined && digits === undefined && /^\d+$/.test(written)) {
    throw fail(`for port ${written} of the default host write :${written}`);
  }
  if (name === undefined && authority === "") throw fail("it is empty");
  return {
    transport: name ?? defaults.transport ?? "tcp",
    host: (bracketed ?? written) || (defaults.host ?? DEFAULT_HOST),
    port: digits === undefined ? defaults.port ?? DEFAULT_PORT : parsePort(digits),
    ...options,
  };
}

/**
 * Writes an endpoint so that {@linkcode parseEndpoint} reads it back.
 *
 * @param endpoint The endpoint.
 * @returns Text such as `tcp://[::1]:65456`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatEndpoint({ transport: "tcp", host: "::1", port: 7 }), "tcp://[::1]:7");
 * ```
 */
export function formatEndpoint(endpoint: Endpoint): string {
  const place = "path" in endpoint
    ? `${endpoint.transport}://${endpoint.path.replace(/[%?]/g, encodeURIComponent)}`
    : `${endpoint.transport}://${formatHostPort(endpoint.host, endpoint.port)}`;
  const query = Object.entries(endpoint.options ?? {})
    .map(([key, value]) => value === "" ? key : `${key}=${encodeURIComponent(value)}`).join("&");
  return query === "" ? place : `${place}?${query}`;
}

/**
 * Writes a host and a port, an IPv6 address in brackets.
 *
 * @param host A name or an IP address.
 * @param port The port.
 * @returns Text such as `127.0.0.1:7` or `[::1]:7`.
 */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
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
  if (!(port <= 65535)) throw new UsageError(`"${text}" is not a port; a port is a number from 0 to 65535`);
  return port;
}

type Failure = (why: string) => UsageError;

function parseOptions(query: string, allowed: readonly string[], fail: Failure): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(query)) {
    if (!allowed.includes(key)) {
      const choice = allowed.length === 0 ? "it takes none" : `there is ${allowed.join(", ")}`;
      throw fail(`it has no option "${key}"; ${choice}`);
    }
    options[key] = value;
  }
  return options;
}

function decode(text: string, fail: Failure): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fail("a % must be followed by two hex digits; write % itself as %25");
  }
}
