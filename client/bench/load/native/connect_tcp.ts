/**
 * Connecting over TCP by descriptors.
 *
 * @module
 */

import { getOption, openSocket, setOption } from "../../../../lib/native/inet_socket.ts";
import { errnoCode, systemError } from "../../../../lib/native/libc.ts";
import { LINUX } from "../../../../lib/native/linux.ts";
import { encodeSockaddr, type HostPort } from "../../../../lib/native/sockaddr_in.ts";
import type { SocketLoop } from "./socket_loop.ts";

/** A connected socket. */
export interface ConnectedSocket {
  /** Its descriptor. */
  fd: number;
  /** Closes it. */
  close(): void;
}

/**
 * Connects a TCP socket, with Nagle's algorithm off.
 *
 * @param loop The loop that waits for it.
 * @param address Where to.
 * @param signal Ends the attempt.
 * @returns The socket.
 * @throws The system's error, or the signal's reason.
 */
export async function connectTcp(loop: SocketLoop, address: HostPort, signal: AbortSignal): Promise<ConnectedSocket> {
  const { libc } = loop;
  const fd = openSocket(libc, "stream", address.hostname);
  try {
    setOption(libc, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, 1);
    const sockaddr = encodeSockaddr(libc, address);
    if (libc.symbols.connect(fd, sockaddr, sockaddr.length) < 0) {
      const errno = libc.errno();
      if (errnoCode(errno) !== "EINPROGRESS") throw systemError("connect", errno);
      await writable(loop, fd, signal);
      const failure = getOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR);
      if (failure !== 0) throw systemError("connect", failure);
    }
    return { fd, close: () => loop.close(fd) };
  } catch (error) {
    loop.close(fd);
    throw error;
  }
}

async function writable(loop: SocketLoop, fd: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", abort);
  const ready = () => {
    resolve();
    loop.yieldSoon();
  };
  loop.watch(fd, LINUX.EPOLLOUT, { ready });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    loop.unwatch(fd);
  }
}
