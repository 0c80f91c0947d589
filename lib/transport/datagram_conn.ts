/**
 * A conversation with one peer over a socket of datagrams.
 *
 * @module
 */

import { errorCode } from "../errors.ts";
import type { Address, DatagramSocket, MessageConn } from "./types.ts";

/** A conversation with one peer over a socket of datagrams, which it owns. */
export class DatagramConn implements MessageConn {
  readonly remoteAddr: Address;
  #socket: DatagramSocket;
  #isPeer: (from: Address) => boolean;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Talks to a peer.
   *
   * @param socket The socket, which {@linkcode close} closes.
   * @param peer The peer's address.
   * @param isPeer Tells whether a datagram is the peer's; others are passed over.
   */
  constructor(socket: DatagramSocket, peer: Address, isPeer: (from: Address) => boolean) {
    this.#socket = socket;
    this.remoteAddr = peer;
    this.#isPeer = isPeer;
  }

  get localAddr(): Address {
    return this.#socket.addr;
  }

  async receive(buffer: Uint8Array): Promise<Uint8Array> {
    try {
      while (true) {
        const [datagram, from] = await this.#socket.receive(buffer);
        if (this.#isPeer(from)) return datagram;
      }
    } catch (error) {
      throw refusalOf(error);
    }
  }

  async send(message: Uint8Array): Promise<void> {
    // One at a time: of several sends at once Deno may do the later ones first.
    const go = () => this.#socket.send(message, this.remoteAddr);
    const sending = this.#waiting++ === 0 ? go() : this.#last.then(go);
    this.#last = sending.then(() => this.#waiting--, () => this.#waiting--);
    await sending;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Windows takes the ICMP message that a datagram was refused for a reset. */
function refusalOf(error: unknown): unknown {
  return errorCode(error) === "ECONNRESET"
    ? Object.assign(new Error("connection refused", { cause: error }), { code: "ECONNREFUSED" })
    : error;
}
