/**
 * Datagrams over Unix sockets.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { DatagramConn } from "../datagram_conn.ts";
import { LARGEST_MESSAGE } from "../largest_message.ts";
import type { Address, DatagramSocket, DatagramTransport, MessageConn, UnixEndpoint } from "../types.ts";
import { bindDatagrams, bindToSend, UnixDatagramSocket } from "./datagram_socket.ts";
import { connectError, isSameFile, socketPath } from "./file.ts";
import { nextTurn } from "./outbox.ts";

/** Datagrams over Unix sockets. The socket file is made here, and removed when the socket is closed. */
export const unixgram: DatagramTransport = {
  kind: "datagram",
  form: "path",
  help: "datagrams over a Unix socket",
  largestMessage: LARGEST_MESSAGE,
  listen: ({ path }: UnixEndpoint) => UnixDatagramSocket.bind(path),
  connect,
};

/** How often a client tries to send to a server that does not read, in milliseconds; and for how long without a pause. */
const RETRY = { every: 1, atOnce: 5 };

/**
 * The client's socket is bound to a file in a temporary folder, because a server can answer only a socket that has an
 * address.
 *
 * Deno lets such a socket do one thing at a time, and a client waits for answers while it sends. So one socket sends, and
 * another one takes over its file: what the server answers goes there.
 */
async function connect(endpoint: UnixEndpoint): Promise<MessageConn> {
  const path = socketPath(endpoint.path);
  await checkServed(path);
  const folder = Deno.makeTempDirSync({ prefix: "meari-" });
  const [own, next] = [`${folder}/client.sock`, `${folder}/next.sock`];
  const sockets: DatagramSocket[] = [];
  const closing = new AbortController();
  const close = () => {
    closing.abort(new Deno.errors.BadResource("the socket is closed"));
    for (const socket of sockets) socket.close();
    Deno.removeSync(folder, { recursive: true });
  };
  try {
    socketPath(own);
    const sending = bindToSend(own);
    sockets.push(sending);
    const receiving = bindDatagrams(next);
    sockets.push(receiving);
    Deno.renameSync(next, own);
    const { sender } = sending;
    const socket: DatagramSocket = {
      addr: sending.addr,
      receive: (buffer) => receiving.receive(buffer),
      send: sender
        ? (bytes) => sendPatiently(() => sender.send(bytes, path), closing.signal)
        : (bytes, to) => sending.send(bytes, to),
      close,
    };
    return new DatagramConn(socket, { transport: "unixpacket", path: endpoint.path }, sameServer(path));
  } catch (error) {
    close();
    throw error;
  }
}

/** Nothing is sent to find out: a stream cannot be connected to a live socket of datagrams, as it is of the wrong kind. */
async function checkServed(path: string): Promise<void> {
  const code = await connectError(path);
  if (code === "EPROTOTYPE") return;
  // A listener for streams takes the attempt, or its queue is full.
  const why = code === undefined || code === "EAGAIN" ? "EPROTOTYPE" : code;
  throw Object.assign(new Error(`connect: ${why}`), { code: why });
}

/** Sends once the server has read what waits for it, or fails once the conversation is over. */
async function sendPatiently(send: () => number | undefined, closing: AbortSignal): Promise<number> {
  const began = performance.now();
  for (let sent = send();; sent = send()) {
    if (sent !== undefined) return sent;
    await (performance.now() - began < RETRY.atOnce ? nextTurn() : delay(RETRY.every, { signal: closing }));
  }
}

/**
 * Tells answers of a server from what others send. A server may be bound by another name than its clients know, and have
 * been moved since: what is not known to be another's file is its own.
 */
function sameServer(path: string): (from: Address) => boolean {
  let otherName: string | undefined;
  return (from) => {
    if (!("path" in from) || !from.path) return false;
    if (from.path === path || from.path === otherName) return true;
    try {
      if (!isSameFile(Deno.statSync(from.path), Deno.statSync(path))) return false;
    } catch {
      // It cannot be known.
    }
    otherName = from.path;
    return true;
  };
}
