/**
 * Sockets that listen for TCP or UDP and are used by their descriptors, on Linux.
 *
 * @module
 */

import { addressOfSocket, bindSocket, growReceiveBuffer, type InetSocketType } from "../native/inet_socket.ts";
import { type Libc, openLibc, succeeded } from "../native/libc.ts";
import { decodeSockaddr, encodeSockaddr } from "../native/sockaddr_in.ts";
import { addressesOf, signalOf } from "./host.ts";
import { BACKLOG } from "./tcp.ts";
import type { Endpoint, InetAddress } from "./types.ts";

/** How large the receive buffer of a socket of datagrams is to be, in bytes, as socket(7) counts. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Addresses that stand for all of a machine's. */
const EVERY = ["0.0.0.0", "::"];

/** How long a name lookup may take, in milliseconds. */
const LOOKUP_TIMEOUT = 10_000;

/** Sockets of one endpoint. */
export interface NativeSockets {
  /** A stream's or datagrams. */
  readonly type: "stream" | "datagram";
  /** Their descriptors, which do not block. */
  readonly fds: readonly number[];
  /** Where they are bound, with the real port. */
  readonly addr: InetAddress;
  /** How large their receive buffers are, in bytes, where the system gives less than was asked for. */
  readonly smallBuffer?: { given: number; asked: number };
  /** Closes them. */
  close(): void;
}

/**
 * Tells whether an endpoint may be listened on natively, where sockets can be used so at all.
 *
 * @param endpoint The endpoint.
 * @returns Whether it is TCP or UDP, without a zone (RFC 4007), whose number Deno alone looks up.
 */
export function isNative(endpoint: Endpoint): boolean {
  return (endpoint.transport === "tcp" || endpoint.transport === "udp") && "host" in endpoint &&
    !endpoint.host.includes("%");
}

/**
 * Opens sockets that listen.
 *
 * @param endpoint An endpoint that {@linkcode isNative} says yes to.
 * @param count How many sockets share what comes.
 * @param signal Ends the wait for the name's lookup.
 * @returns The sockets.
 * @throws The system's error, or the signal's reason.
 */
export async function openNativeSockets(
  endpoint: Endpoint,
  count: number,
  signal?: AbortSignal,
): Promise<NativeSockets> {
  const libc = openLibc();
  if (libc === undefined || !("host" in endpoint)) throw new Error("no native sockets");
  const type = endpoint.transport === "tcp" ? "stream" : "datagram";
  const fds: number[] = [];
  const close = () => {
    for (const fd of fds.splice(0)) libc.symbols.close(fd);
    libc.close();
  };
  try {
    const [found] = await addressesOf(endpoint.host, signalOf({ timeout: LOOKUP_TIMEOUT, signal }));
    // Written as the system writes it.
    const address = decodeSockaddr(libc, encodeSockaddr(libc, { hostname: found!, port: endpoint.port }));
    // A socket that is bound to one address answers from that.
    const packetInfo = type === "datagram" && EVERY.includes(address.hostname);
    const reusePort = count > 1;
    if (reusePort) address.port = freePort(libc, type, address);
    for (let i = 0; i < count; i++) {
      fds.push(bindSocket(libc, type, address, { reusePort, packetInfo }));
      address.port = addressOfSocket(libc, fds[0]!).port;
    }
    const given = fds.map((fd) => {
      if (type === "datagram") return growReceiveBuffer(libc, fd, RECEIVE_BUFFER);
      succeeded(libc, "listen", libc.symbols.listen(fd, BACKLOG));
      return RECEIVE_BUFFER;
    });
    const least = Math.min(...given);
    const addr = { transport: endpoint.transport as "tcp" | "udp", ...addressOfSocket(libc, fds[0]!) };
    return {
      type,
      fds,
      addr,
      ...(least < RECEIVE_BUFFER && { smallBuffer: { given: least, asked: RECEIVE_BUFFER } }),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Sockets that share a port would share it with another program's that do, too. So one that does not is bound first. */
function freePort(libc: Libc, type: InetSocketType, address: { hostname: string; port: number }): number {
  const probe = bindSocket(libc, type, address);
  try {
    return addressOfSocket(libc, probe).port;
  } finally {
    libc.symbols.close(probe);
  }
}
