/**
 * The echo service on datagrams (RFC 862): each one goes back to whoever sent it.
 *
 * @module
 */

import type { Address, DatagramSocket } from "../../lib/transport/mod.ts";

/**
 * Holds any datagram: UDP's length field has 16 bits (RFC 768), and on a Unix socket the sender's buffer is the limit,
 * which is 208 KiB on Linux unless set.
 */
const LARGEST_DATAGRAM = 256 * 1024;

/** How to echo. */
export interface DatagramEchoOptions {
  /** Told of each datagram after it was echoed; it is valid only during the call. Returns whether to go on. */
  onEcho: (datagram: Uint8Array, from: Address) => boolean;
  /** Told of a failure, which is survived. Waited for, so that it can slow down a socket that keeps failing. */
  onFailure: (operation: "receive" | "send", error: unknown, from?: Address) => Promise<void>;
  /** Tells whether the socket was closed on purpose, which ends the echo. */
  isClosed: () => boolean;
}

/**
 * Echoes datagrams until the socket is closed or `onEcho` says to stop.
 *
 * @param socket The socket. The caller closes it.
 * @param options How to echo.
 */
export async function echoDatagrams(socket: DatagramSocket, options: DatagramEchoOptions): Promise<void> {
  const buffer = new Uint8Array(LARGEST_DATAGRAM);
  while (true) {
    let received: [Uint8Array, Address];
    try {
      received = await socket.receive(buffer);
    } catch (error) {
      if (options.isClosed()) return;
      await options.onFailure("receive", error);
      continue;
    }
    const [datagram, from] = received;
    try {
      await socket.send(datagram, from);
    } catch (error) {
      if (options.isClosed()) return;
      await options.onFailure("send", error, from);
      continue;
    }
    if (!options.onEcho(datagram, from)) return;
  }
}
