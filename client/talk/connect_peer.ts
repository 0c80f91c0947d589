/**
 * From an endpoint to the peer there.
 *
 * @module
 */

import { connectMessages, connectStream, type Endpoint, isStream } from "../../lib/transport/mod.ts";
import { MessagePeer } from "./message_peer.ts";
import type { EchoPeer, PeerOptions } from "./peer.ts";
import { StreamPeer } from "./stream_peer.ts";

/**
 * Connects to a peer.
 *
 * @param endpoint Where it is.
 * @param options How to talk to it.
 * @returns The peer. Dispose of it in the end.
 * @throws {MeariError} If it cannot be reached.
 * @throws The reason of the signal where that ends it.
 */
export async function connectPeer(endpoint: Endpoint, options: PeerOptions): Promise<EchoPeer> {
  return isStream(endpoint)
    ? new StreamPeer(await connectStream(endpoint, options), options)
    : new MessagePeer(endpoint, await connectMessages(endpoint, options), options);
}
