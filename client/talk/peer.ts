/**
 * The other side of a conversation, whatever the transport: send a message, get back what comes for it.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { isDatagram } from "../../lib/transport/mod.ts";
import { DatagramPeer } from "./datagram_peer.ts";
import { StreamPeer } from "./stream_peer.ts";

/** What came back for a message. */
export interface Echo {
  /** The bytes that came: at most as many as were sent on a stream, a whole datagram otherwise. */
  bytes: Uint8Array;
  /** Why nothing more came, where the echo is not whole: `no echo within 5s` … */
  missing?: string;
}

/** A peer that echoes, or should. */
export interface EchoPeer extends AsyncDisposable {
  /**
   * Sends a message and waits for its echo. One at a time.
   *
   * @param message The message.
   * @returns What came back.
   * @throws {MeariError} If the message could not be sent.
   */
  exchange(message: Uint8Array): Promise<Echo>;
  /** Resolves once the other side has ended the conversation, with the reason if it broke. Never for datagrams. */
  readonly ended: Promise<string | undefined>;
  /** How many bytes came that no message asked for. */
  readonly surplus: number;
  /** Ends the conversation politely: tells the other side, waits a moment for it to do the same, and frees the socket. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How to talk to a peer. */
export interface PeerOptions {
  /** Bounds connecting and each wait for an echo, in milliseconds. */
  timeout: number;
  /** How often a datagram that was not answered is sent again. */
  retries: number;
  /** Told of bytes that no message asked for; they are valid only during the call. */
  onSurplus?: (bytes: Uint8Array) => void;
}

/**
 * Connects to a peer.
 *
 * @param endpoint Where it is.
 * @param options How to talk to it.
 * @returns The peer. Dispose of it in the end.
 * @throws {MeariError} If it cannot be reached.
 */
export function connectPeer(endpoint: Endpoint, options: PeerOptions): Promise<EchoPeer> {
  return isDatagram(endpoint) ? DatagramPeer.open(endpoint, options) : StreamPeer.connect(endpoint, options);
}
