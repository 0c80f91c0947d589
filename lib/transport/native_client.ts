/**
 * Sockets that talk to one server and are used by their descriptors, on Linux.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { errorCode } from "../errors.ts";
import { bindSocket, getOption, openSocket, setOption } from "../native/inet_socket.ts";
import { type Libc, openLibc, succeeded, systemError } from "../native/libc.ts";
import { LINUX } from "../native/linux.ts";
import { encodeSockaddr, type HostPort } from "../native/sockaddr_in.ts";
import { SockaddrUn } from "../native/sockaddr_un.ts";
import { connectToHost, datagramAddressOf } from "./host.ts";
import type { Address, Bounds, Endpoint } from "./types.ts";
import { anyAddress } from "./udp.ts";
import { socketPath } from "./unix/file.ts";

/** How long to wait before looking again whether a connection is made, in milliseconds: at first, and at the most. */
const LOOK_AGAIN = { first: 1, most: 10 };

/** A socket that talks to one server. */
export interface NativeClient {
  /** Its descriptor, which does not block. */
  readonly fd: number;
  /** The server's address. */
  readonly remoteAddr: Address;
  /**
   * The server's address as the system takes it, where the socket is of datagrams. It is not connected (connect(2)), so
   * that datagrams come from everywhere: a server that is bound to every address may answer from another one than it was
   * asked at, but from the same port.
   */
  readonly sockaddr?: Uint8Array<ArrayBuffer>;
  /** Closes it. */
  close(): void;
}

/**
 * Tells whether a server can be talked to natively, where sockets can be used so at all.
 *
 * @param endpoint The server.
 * @returns Whether it is TCP, UDP without a zone (RFC 4007), whose number Deno alone looks up, or a Unix stream.
 */
export function canConnectNatively(endpoint: Endpoint): boolean {
  if ("path" in endpoint) return endpoint.transport === "unix";
  return (endpoint.transport === "tcp" || endpoint.transport === "udp") && !endpoint.host.includes("%");
}

/**
 * Opens a socket that talks to a server.
 *
 * @param endpoint A server that {@linkcode canConnectNatively} says yes to.
 * @param bounds How long it may take.
 * @returns The socket.
 * @throws The system's error, or the signal's reason.
 */
export async function openNativeClient(endpoint: Endpoint, bounds: Bounds): Promise<NativeClient> {
  const libc = openLibc();
  if (libc === undefined) throw new Error("no native sockets");
  try {
    const client = await open(libc, endpoint, bounds);
    const close = () => {
      client.close();
      libc.close();
    };
    return { ...client, close };
  } catch (error) {
    libc.close();
    throw error;
  }
}

async function open(libc: Libc, endpoint: Endpoint, bounds: Bounds): Promise<NativeClient> {
  if ("path" in endpoint) return await connectUnix(libc, endpoint.path, bounds);
  const { port } = endpoint;
  if (endpoint.transport === "tcp") {
    return await connectToHost(
      endpoint.host,
      bounds,
      (hostname, signal) => connectTcp(libc, { hostname, port }, signal),
    );
  }
  const hostname = await datagramAddressOf(endpoint.host, bounds);
  const fd = bindSocket(libc, "datagram", { hostname: anyAddress(hostname), port: 0 });
  const sockaddr = encodeSockaddr(libc, { hostname, port });
  return { fd, remoteAddr: { transport: "udp", hostname, port }, sockaddr, close: () => libc.symbols.close(fd) };
}

async function connectTcp(libc: Libc, address: HostPort, signal: AbortSignal): Promise<NativeClient> {
  const fd = openSocket(libc, "stream", address.hostname);
  const sockaddr = encodeSockaddr(libc, address);
  const close = () => libc.symbols.close(fd);
  try {
    setOption(libc, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, 1);
    await connect(libc, fd, sockaddr, sockaddr.length, signal);
  } catch (error) {
    close();
    throw error;
  }
  return { fd, remoteAddr: { transport: "tcp", ...address }, close };
}

async function connectUnix(libc: Libc, path: string, { timeout, signal }: Bounds): Promise<NativeClient> {
  const bound = AbortSignal.timeout(timeout);
  const to = new SockaddrUn();
  to.path = socketPath(path);
  const flags = LINUX.SOCK_STREAM | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC;
  const fd = succeeded(libc, "socket", libc.symbols.socket(LINUX.AF_UNIX, flags, 0));
  const close = () => libc.symbols.close(fd);
  try {
    await connect(libc, fd, to.bytes, to.length[0]!, signal ? AbortSignal.any([bound, signal]) : bound);
  } catch (error) {
    close();
    throw error;
  }
  return { fd, remoteAddr: { transport: "unix", path }, close };
}

/** A TCP connection is made meanwhile (`EINPROGRESS`), and one to a Unix listener whose queue is full not yet (`EAGAIN`). */
async function connect(
  libc: Libc,
  fd: number,
  sockaddr: Uint8Array<ArrayBuffer>,
  length: number,
  signal: AbortSignal,
): Promise<void> {
  const { symbols } = libc;
  for (let wait = LOOK_AGAIN.first, inProgress = false;; wait = Math.min(2 * wait, LOOK_AGAIN.most)) {
    signal.throwIfAborted();
    if (!inProgress) {
      if (symbols.connect(fd, sockaddr, length) === 0) return;
      const error = systemError("connect", libc.errno());
      inProgress = errorCode(error) === "EINPROGRESS";
      if (!inProgress && errorCode(error) !== "EAGAIN") throw error;
    } else if (symbols.ppoll(new Int32Array([fd, LINUX.EPOLLOUT]), 1n, new Int32Array(4), null) > 0) {
      const errno = getOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR);
      if (errno === 0) return;
      throw systemError("connect", errno);
    }
    await delay(wait, { signal });
  }
}
