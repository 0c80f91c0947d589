/**
 * Senders of datagrams that came in a batch.
 *
 * @module
 */

import { type DatagramBatch, NAME_STRIDE } from "../../lib/native/datagram_batch.ts";
import type { Libc } from "../../lib/native/libc.ts";
import { LINUX } from "../../lib/native/linux.ts";
import { decodeSockaddr, portOfSockaddr } from "../../lib/native/sockaddr_in.ts";
import type { InetAddress } from "../../lib/transport/mod.ts";
import type { RawSender } from "../guard/datagram_guard.ts";

/** The sender of one datagram of a batch after the other: nothing is made for each. */
export class BatchSender implements RawSender {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Which datagram. */
  index = 0;
  #libc: Libc;

  /**
   * @param libc The C library.
   * @param batch The batch.
   */
  constructor(libc: Libc, batch: DatagramBatch) {
    this.#libc = libc;
    this.bytes = batch.names;
  }

  get port(): number {
    return portOfSockaddr(this.bytes, this.index * NAME_STRIDE);
  }

  get from(): number {
    return this.index * NAME_STRIDE + 2;
  }

  get to(): number {
    const at = this.index * NAME_STRIDE;
    return at + (this.bytes[at] === LINUX.AF_INET ? 8 : 24);
  }

  address(): InetAddress {
    return { transport: "udp", ...decodeSockaddr(this.#libc, this.bytes, this.index * NAME_STRIDE) };
  }
}
