/**
 * Datagrams over Unix sockets.
 *
 * @module
 */

import type { UnixEndpoint } from "../endpoint.ts";
import type { DatagramClient, DatagramSocket } from "./types.ts";
import { bindUnixFile } from "./unix_file.ts";

/**
 * Binds a Unix datagram socket.
 *
 * @param endpoint The path of the socket file, which is made here and removed by `close`.
 * @returns The socket.
 * @throws The operating system's error.
 */
export function bindUnixgram(endpoint: UnixEndpoint): Promise<DatagramSocket> {
  return bindUnixFile(
    endpoint.path,
    // Deno's type allows more kinds of address; a Unix socket knows one.
    (path) => Deno.listenDatagram({ transport: "unixpacket", path }) as DatagramSocket,
  );
}

/**
 * Opens a Unix datagram socket for a client. It is bound to a file in a temporary folder, because a server can answer
 * only a socket that has an address.
 *
 * @param endpoint The server.
 * @returns The socket, whose `close` removes its file, and the server's address.
 * @throws The operating system's error: at once, where the server's file is missing or nobody listens on it.
 */
export async function openUnixgram(endpoint: UnixEndpoint): Promise<DatagramClient> {
  const folder = Deno.makeTempDirSync({ prefix: "meari-" });
  try {
    const socket = await bindUnixgram({ transport: "unixgram", path: `${folder}/client.sock` });
    const close = socket.close.bind(socket);
    socket.close = () => {
      close();
      Deno.removeSync(folder, { recursive: true });
    };
    return { socket, peer: { transport: "unixpacket", path: endpoint.path } };
  } catch (error) {
    Deno.removeSync(folder, { recursive: true });
    throw error;
  }
}
