/**
 * Opens the socket that an endpoint names, whatever its transport, and says in one line why it could not.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "../endpoint.ts";
import { describeCause, errorCode, isUnknownHost, MeariError } from "../errors.ts";
import { formatDuration } from "../units.ts";
import { connectTcp, listenTcp } from "./tcp.ts";
import type { Address, Bounds, DatagramClient, DatagramSocket, StreamConn, StreamListener } from "./types.ts";
import { bindUdp, openUdp } from "./udp.ts";
import { connectUnix, listenUnix } from "./unix.ts";
import { bindUnixgram, openUnixgram } from "./unixgram.ts";

export type * from "./types.ts";

/**
 * Listens for byte streams.
 *
 * @param endpoint A `tcp` or `unix` endpoint.
 * @returns The listener.
 * @throws {MeariError} If it cannot listen there; `cause` holds the operating system's error.
 */
export async function listenStream(endpoint: Endpoint): Promise<StreamListener> {
  return await explain("listen on", endpoint, () => {
    if (endpoint.transport === "tcp") return listenTcp(endpoint);
    if (endpoint.transport === "unix") return listenUnix(endpoint);
    throw wrongKind(endpoint, "a stream");
  });
}

/**
 * Connects a byte stream.
 *
 * @param endpoint A `tcp` or `unix` endpoint.
 * @param bounds How long it may take.
 * @returns The connection.
 * @throws {MeariError} If it cannot connect; `cause` holds the operating system's error.
 */
export async function connectStream(endpoint: Endpoint, bounds: Bounds): Promise<StreamConn> {
  return await explain("connect to", endpoint, () => {
    if (endpoint.transport === "tcp") return connectTcp(endpoint, bounds);
    if (endpoint.transport === "unix") return connectUnix(endpoint, bounds);
    throw wrongKind(endpoint, "a stream");
  }, bounds.timeout);
}

/**
 * Binds a datagram socket to serve on.
 *
 * @param endpoint A `udp` or `unixgram` endpoint.
 * @returns The socket.
 * @throws {MeariError} If it cannot bind there; `cause` holds the operating system's error.
 */
export async function bindDatagram(endpoint: Endpoint): Promise<DatagramSocket> {
  return await explain("listen on", endpoint, () => {
    if (endpoint.transport === "udp") return bindUdp(endpoint);
    if (endpoint.transport === "unixgram") return bindUnixgram(endpoint);
    throw wrongKind(endpoint, "datagrams");
  });
}

/**
 * Opens a datagram socket to talk to a server with. Nothing is sent, so a server that is not there goes unnoticed.
 *
 * @param endpoint The server, a `udp` or `unixgram` endpoint.
 * @returns The socket and the address to send to.
 * @throws {MeariError} If it cannot be opened, or the host is unknown; `cause` holds the operating system's error.
 */
export async function openDatagram(endpoint: Endpoint): Promise<DatagramClient> {
  return await explain("send to", endpoint, (): Promise<DatagramClient> => {
    if (endpoint.transport === "udp") return openUdp(endpoint);
    if (endpoint.transport === "unixgram") return openUnixgram(endpoint);
    throw wrongKind(endpoint, "datagrams");
  });
}

/**
 * Writes an address for people. An IPv4 peer of a socket that serves both families is written as IPv4.
 *
 * @param address The address of a socket.
 * @returns Text such as `127.0.0.1:65456`, `[::1]:7` or a path.
 */
export function formatAddress(address: Address): string {
  if ("path" in address) return address.path || "(unnamed)";
  const host = plainHost(address.hostname);
  return host.includes(":") ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/**
 * Undoes the IPv4-mapped form (RFC 4291 section 2.5.5.2) in which IPv4 peers of a socket on `::` appear.
 *
 * @param hostname An IP address.
 * @returns The IPv4 address of `::ffff:a.b.c.d`; any other address as it is.
 */
export function plainHost(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/i, "");
}

/**
 * The endpoint that a bound socket really has: with the port that the kernel chose.
 *
 * @param endpoint What was asked for.
 * @param address Where the socket is bound.
 * @returns The endpoint with the real port.
 */
export function boundEndpoint(endpoint: Endpoint, address: Address): Endpoint {
  return "host" in endpoint && "port" in address ? { ...endpoint, port: address.port } : endpoint;
}

/**
 * Says in one line what was tried, why it failed, and the way out.
 *
 * @param what What was tried.
 * @param endpoint Where.
 * @param error Why it failed.
 * @param timeout How long it was waited for, in milliseconds, where that was bounded.
 * @returns The error to throw; `cause` holds the one given. A {@linkcode MeariError} is returned as it is.
 */
export function explainFailure(
  what: "listen on" | "connect to" | "send to",
  endpoint: Endpoint,
  error: unknown,
  timeout?: number,
): MeariError {
  if (error instanceof MeariError) return error;
  const timedOut = error instanceof Error && error.name === "TimeoutError" && timeout !== undefined;
  const cause = timedOut ? `no answer within ${formatDuration(timeout)}` : describeCause(error);
  const advice = (what === "listen on" ? adviceToServer : adviceToClient)(error, endpoint);
  const place = formatEndpoint({ ...endpoint, options: {} });
  return new MeariError(`cannot ${what} ${place}: ${cause}${advice ? `; ${advice}` : ""}`, { cause: error });
}

async function explain<T>(
  what: "listen on" | "connect to" | "send to",
  endpoint: Endpoint,
  open: () => T | Promise<T>,
  timeout?: number,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw explainFailure(what, endpoint, error, timeout);
  }
}

function adviceToServer(error: unknown, endpoint: Endpoint): string {
  if (isUnknownHost(error)) return "check the spelling, or use an IP address of this machine";
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return "path" in endpoint
        ? "a server is listening there; stop it, or choose another path"
        : "stop the program that has it, choose another port with -p, or let the kernel choose with -p 0";
    case "EADDRNOTAVAIL":
      return "use 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network";
    case "EACCES":
      return "path" in endpoint
        ? "check the rights of the folder"
        : "ports below 1024 need privileges; choose a higher one with -p";
    case "ENOENT":
      return "path" in endpoint ? "make the folder first" : "";
    default:
      return "";
  }
}

function adviceToClient(error: unknown, endpoint: Endpoint): string {
  if (isUnknownHost(error)) return "check the spelling, or use an IP address";
  if (error instanceof Error && error.name === "TimeoutError") {
    return "a firewall may be in the way; --timeout allows more time";
  }
  const path = "path" in endpoint;
  switch (errorCode(error)) {
    case "ECONNREFUSED":
      return "is the server running? start one with meari-server";
    case "ENOENT":
      return path ? "is the server running? start one with meari-server" : "";
    case "EACCES":
      return path ? "check the rights of the socket file" : "";
    case "EPROTOTYPE":
      return `use ${endpoint.transport === "unix" ? "unixgram" : "unix"}:// for the other kind`;
    default:
      return "";
  }
}

function wrongKind(endpoint: Endpoint, carries: string): MeariError {
  return new MeariError(`${formatEndpoint(endpoint)} does not carry ${carries}`);
}
