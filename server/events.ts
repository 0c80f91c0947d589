/**
 * What happens in a server, as typed events, and those who want to know. What a person or a log collector sees are views
 * of them.
 *
 * @module
 */

import type { Endpoint } from "../lib/endpoint.ts";
import type { Ending } from "../lib/cli/messages.ts";
import type { Address } from "../lib/transport/mod.ts";
import type { DatagramRefusal } from "./guard/datagram_guard.ts";

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

/** Something was not served, on purpose. */
export interface RefusedEvent {
  /** Which event it is. */
  type: "refused";
  /** Where it happened. */
  endpoint: Endpoint;
  /** Who is on the other side, as the datagram says. */
  peer: Address;
  /** Why. */
  reason: DatagramRefusal;
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
  /** How many datagrams were not answered, by reason. */
  refused: Readonly<Partial<Record<DatagramRefusal, number>>>;
  /** How long it ran, in milliseconds. */
  duration: number;
}

/** How a server stands. */
export interface Snapshot extends Summary {
  /** How many connections are open. */
  open: number;
}

/** Anything that happens in a server. */
export type ServerEvent =
  | ListeningEvent
  | ConnectedEvent
  | EchoedEvent
  | RefusedEvent
  | DisconnectedEvent
  | FailedEvent
  | StoppingEvent
  | StoppedEvent;

/** Told of what happens. It must not wait for anything: whoever serves waits for it. */
export type Subscriber = (event: ServerEvent) => void;

/** The name of a kind of event. */
export type EventType = ServerEvent["type"];

interface Subscription {
  subscriber: Subscriber;
  types: readonly EventType[] | undefined;
}

/** Those who want to know what happens in a server, by what they want to know. */
export class Subscribers {
  #all: readonly Subscription[] = [];
  #wantsEchoed = false;

  /** Whether anybody wants to know of each message: else nothing is made for it. */
  get wantsEchoed(): boolean {
    return this.#wantsEchoed;
  }

  /**
   * Adds one.
   *
   * @param subscriber Told of what happens.
   * @param types The kinds of event to tell it of. Default: all.
   * @returns Removes it.
   */
  add(subscriber: Subscriber, types?: readonly EventType[]): () => void {
    const entry = { subscriber, types };
    this.#change([...this.#all, entry]);
    return () => this.#change(this.#all.filter((each) => each !== entry));
  }

  /**
   * Tells all who want to know. What one of them throws is reported as an uncaught exception is (HTML Standard, "report
   * an exception"), and disturbs neither the others nor what is served.
   *
   * @param event What has happened.
   */
  tell(event: ServerEvent): void {
    for (const { subscriber, types } of this.#all) {
      if (types !== undefined && !types.includes(event.type)) continue;
      try {
        subscriber(event);
      } catch (error) {
        reportError(error);
      }
    }
  }

  #change(all: readonly Subscription[]): void {
    this.#all = all;
    this.#wantsEchoed = all.some(({ types }) => types === undefined || types.includes("echoed"));
  }
}
