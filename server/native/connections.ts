/**
 * The connections of a worker: a row for each, in columns, so that an idle one costs some 70 bytes.
 *
 * @module
 */

import { SOCKADDR_IN6_BYTES } from "../../lib/native/sockaddr_in.ts";

/** What a connection is doing. */
export const STATE = {
  /** There is none with this descriptor. */
  free: 0,
  /** It waits for the client. */
  reading: 1,
  /** It has something that the client does not take yet, and does not read. */
  writing: 2,
  /** It has ended its half after `quit`, and waits for the client to end its own. */
  lingering: 3,
};

/** How many rows there are at first. */
const FEW = 256;

/** The connections of a worker, by their descriptors. */
export class Connections {
  /** One of {@linkcode STATE}. */
  state = new Uint8Array(FEW);
  /** Which of the connections with this descriptor it is: an event may be of one that has gone. */
  generation = new Uint32Array(FEW);
  /** The number of its endpoint. */
  endpoint = new Uint16Array(FEW);
  /** Its number in the server. */
  number = new Float64Array(FEW);
  /** When it began, on the clock of `performance.now()`. */
  startedAt = new Float64Array(FEW);
  /** How many messages were answered. */
  messages = new Float64Array(FEW);
  /** How many bytes were answered. */
  bytes = new Float64Array(FEW);
  /** Whether a message of it was told of. */
  told = new Uint8Array(FEW);
  /** The addresses of the clients, as the system gives them: each begins at the descriptor times the length of one. */
  peers = new Uint8Array(FEW * SOCKADDR_IN6_BYTES);
  /** The descriptor behind the highest that was ever used. */
  limit = 0;

  /**
   * Begins a connection.
   *
   * @param fd Its descriptor.
   * @param endpoint The number of its endpoint.
   * @param number Its number in the server.
   * @param peer The address of the client.
   * @param now The time.
   * @returns Its generation.
   */
  begin(fd: number, endpoint: number, number: number, peer: Uint8Array, now: number): number {
    if (fd >= this.state.length) this.#grow(fd + 1);
    this.limit = Math.max(this.limit, fd + 1);
    this.state[fd] = STATE.reading;
    this.endpoint[fd] = endpoint;
    this.number[fd] = number;
    this.startedAt[fd] = now;
    this.messages[fd] = 0;
    this.bytes[fd] = 0;
    this.told[fd] = 0;
    this.peers.set(peer, fd * SOCKADDR_IN6_BYTES);
    return this.generation[fd]!;
  }

  /**
   * Ends a connection.
   *
   * @param fd Its descriptor.
   */
  finish(fd: number): void {
    this.state[fd] = STATE.free;
    this.generation[fd]!++;
  }

  #grow(least: number): void {
    const length = Math.max(least, this.state.length * 2);
    const grown = <T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(old: T, length: number): T => {
      const array = new (old.constructor as new (length: number) => T)(length);
      array.set(old);
      return array;
    };
    this.state = grown(this.state, length);
    this.generation = grown(this.generation, length);
    this.endpoint = grown(this.endpoint, length);
    this.number = grown(this.number, length);
    this.startedAt = grown(this.startedAt, length);
    this.messages = grown(this.messages, length);
    this.bytes = grown(this.bytes, length);
    this.told = grown(this.told, length);
    this.peers = grown(this.peers, length * SOCKADDR_IN6_BYTES);
  }
}
