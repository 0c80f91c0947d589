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
 * Deno lets such a socket do one thing at a time, and a client waits for answers while it sends. So one socket sends, a
 * datagram at a time, and another one takes over its file: what the server answers goes there.
 *
 * @param endpoint The server.
 * @returns The socket, whose `close` removes its file, and the server's address.
 * @throws The operating system's error: at once, where the server's file is missing or nobody listens on it.
 */
export async function openUnixgram(endpoint: UnixEndpoint): Promise<DatagramClient> {
  const folder = Deno.makeTempDirSync({ prefix: "meari-" });
  const sockets: DatagramSocket[] = [];
  const close = () => {
    for (const socket of sockets) socket.close();
    Deno.removeSync(folder, { recursive: true });
  };
  const bind = async (path: string) => {
    const socket = await bindUnixgram({ transport: "unixgram", path });
    sockets.push(socket);
    return socket;
  };
  try {
    const sender = await bind(`${folder}/client.sock`);
    const receiver = await bind(`${folder}/receiver.sock`);
    Deno.renameSync(`${folder}/receiver.sock`, `${folder}/client.sock`);
    let last: Promise<unknown> = Promise.resolve();
    const socket: DatagramSocket = {
      addr: sender.addr,
      receive: (buffer) => receiver.receive(buffer),
      send: (bytes, to) => {
        const sending = last.then(() => sender.send(bytes, to));
        last = sending.catch(() => {});
        return sending;
      },
      close,
    };
    return { socket, peer: { transport: "unixpacket", path: endpoint.path } };
  } catch (error) {
    close();
    throw error;
  }
}
