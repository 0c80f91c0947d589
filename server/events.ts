/**
 * What happens in a server, as typed events. What a person or a log collector sees are views of them.
 *
 * @module
 */

import type { Endpoint } from "../lib/endpoint.ts";
import type { Ending } from "../lib/cli/messages.ts";
import type { Address } from "../lib/transport/mod.ts";

/** An endpoint is being served. */
export interface ListeningEvent {
  /** Which event it is. */
  type: "listening";
  /** The endpoint, with its real port. */
  endpoint: Endpoint;
}

/** A client has connected. */
export interface ConnectedEvent {
  /** Which event it is. */
  type: "connected";
  /** Where it happened. */
  endpoint: Endpoint;
  /** The number of the connection, from 1 on. */
  connection: number;
  /** Who is on the other side. */
  peer: Address;
}

/** A message was echoed: what one read returned, or one datagram. */
export interface EchoedEvent {
  /** Which event it is. */
  type: "echoed";
  /** Where it happened. */
  endpoint: Endpoint;
  /** The number of the connection; `undefined` for a datagram. */
  connection: number | undefined;
  /** Who is on the other side. */
  peer: Address;
  /** The message. Its buffer is used again: it is valid only during the call. */
  message: Uint8Array;
  /** How many bytes of the connection went before it; 0 for a datagram. */
  offset: number;
}

/** Messages were echoed that no event told of, because of the limit on such events. */
export interface UnshownEvent {
  /** Which event it is. */
  type: "unshown";
  /** How many messages. */
  messages: number;
  /** How many bytes. */
  bytes: number;
}

/** A connection has ended. */
export interface DisconnectedEvent {
  /** Which event it is. */
  type: "disconnected";
  /** Where it happened. */
  endpoint: Endpoint;
  /** The number of the connection. */
  connection: number;
  /** Who is on the other side. */
  peer: Address;
  /** How it ended. */
  how: Ending;
  /** How many messages. */
  messages: number;
  /** How many bytes. */
  bytes: number;
  /** How long it lasted, in milliseconds. */
  duration: number;
}

/** An operation failed that the server survives. */
export interface FailedEvent {
  /** Which event it is. */
  type: "failed";
  /** Where it happened. */
  endpoint: Endpoint;
  /** What failed. */
  operation: "accept" | "receive" | "send";
  /** Whom it was about, where that is known. */
  peer?: Address;
  /** Why, in a few words. */
  cause: string;
}

/** The server was told to stop, and lets what is in flight be echoed. */
export interface StoppingEvent {
  /** Which event it is. */
  type: "stopping";
  /** How many connections are open. */
  connections: number;
}

/** The server has stopped. */
export interface StoppedEvent extends Summary {
  /** Which event it is. */
  type: "stopped";
}

/** What a server did in all. */
export interface Summary {
  /** How many connections. */
  connections: number;
  /** How many messages. */
  messages: number;
  /** How many bytes. */
  bytes: number;
  /** How long it ran, in milliseconds. */
  duration: number;
}

/** Anything that happens in a server. */
export type ServerEvent =
  | ListeningEvent
  | ConnectedEvent
  | EchoedEvent
  | UnshownEvent
  | DisconnectedEvent
  | FailedEvent
  | StoppingEvent
  | StoppedEvent;
