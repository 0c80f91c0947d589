/**
 * Datagrams over Unix sockets.
 *
 * @module
 */

import { DatagramConn } from "./datagram_conn.ts";
import type { DatagramSocket, DatagramTransport, MessageConn, UnixEndpoint } from "./types.ts";
import { bindUnixFile } from "./unix_file.ts";

/** Datagrams over Unix sockets. The socket file is made here, and removed when the socket is closed. */
export const unixgram: DatagramTransport = {
  kind: "datagram",
  form: "path",
  listen: (endpoint: UnixEndpoint) => bind(endpoint.path),
  connect,
};

function bind(path: string): Promise<DatagramSocket> {
  return bindUnixFile(
    path,
    // Deno's type allows more kinds of address; a Unix socket knows one.
    (path) => Deno.listenDatagram({ transport: "unixpacket", path }) as DatagramSocket,
  );
}

/**
 * The client's socket is bound to a file in a temporary folder, because a server can answer only a socket that has an
 * address.
 *
 * Deno lets such a socket do one thing at a time, and a client waits for answers while it sends. So one socket sends, and
 * another one takes over its file: what the server answers goes there.
 */
async function connect(endpoint: UnixEndpoint): Promise<MessageConn> {
  const folder = Deno.makeTempDirSync({ prefix: "meari-" });
  const sockets: DatagramSocket[] = [];
  const close = () => {
    for (const socket of sockets) socket.close();
    Deno.removeSync(folder, { recursive: true });
  };
  const bindNext = async (path: string) => {
    const socket = await bind(path);
    sockets.push(socket);
    return socket;
  };
  try {
    const sender = await bindNext(`${folder}/client.sock`);
    const receiver = await bindNext(`${folder}/receiver.sock`);
    Deno.renameSync(`${folder}/receiver.sock`, `${folder}/client.sock`);
    const socket: DatagramSocket = {
      addr: sender.addr,
      receive: (buffer) => receiver.receive(buffer),
      send: (bytes, to) => sender.send(bytes, to),
      close,
    };
    return new DatagramConn(socket, { transport: "unixpacket", path: endpoint.path });
  } catch (error) {
    close();
    throw error;
  }
}
