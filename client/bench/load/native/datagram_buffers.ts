/**
 * What the UDP sockets of a thread receive into and send from.
 *
 * @module
 */

import { DatagramBatch, NAME_STRIDE } from "../../../../lib/native/datagram_batch.ts";
import type { Libc } from "../../../../lib/native/libc.ts";

/** How many datagrams are received or sent at once. */
const BATCH = 64;

/** What all sockets of a thread receive into and send from. */
export interface DatagramBuffers {
  /** Datagrams that were received; each has room for a byte more than is expected, so that one that is too long is noticed. */
  received: DatagramBatch;
  /** Datagrams that are sent on a connected socket. */
  sent: DatagramBatch;
  /** Datagrams that are sent to the server on one that is not. */
  sentTo: DatagramBatch;
  /** The server's address, as the system takes it. */
  server: Uint8Array<ArrayBuffer>;
}

/**
 * Makes what all sockets of a thread receive into and send from.
 *
 * @param libc The C library, which must stay open as long as this is used.
 * @param size The size of a message in bytes.
 * @param server The server's address, as the system takes it.
 * @returns The buffers.
 */
export function makeDatagramBuffers(libc: Libc, size: number, server: Uint8Array<ArrayBuffer>): DatagramBuffers {
  const received = new DatagramBatch(libc, { capacity: BATCH, payload: size + 1 });
  const room = { capacity: BATCH, payload: Math.max(1, size) };
  const sent = new DatagramBatch(libc, { ...room, named: false }), sentTo = new DatagramBatch(libc, room);
  for (let i = 0; i < BATCH; i++) {
    sent.setLength(i, size);
    sentTo.setLength(i, size);
    sentTo.names.set(server, i * NAME_STRIDE);
    sentTo.setNameLength(i, server.length);
  }
  return { received, sent, sentTo, server };
}
