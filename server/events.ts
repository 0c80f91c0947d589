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

/** What serves an endpoint: workers that make the calls of the system themselves, or what Deno has for every system. */
export type Engine = "native" | "portable";

/** An endpoint is being served. */
export interface ListeningEvent {
  /** Which event it is. */
  type: "listening";
  /** The endpoint, with its real port. */
  endpoint: Endpoint;
  /** What serves it. */
  engine: Engine;
  /** How large the receive buffer of its sockets is, in bytes, where the system gives less than was asked for. */
  smallBuffer?: { /** What it gives. */ given: number; /** What was asked for. */ asked: number };
}

/** What would be served natively is not, as that cannot be had here. */
export interface FallbackEvent {
  /** Which event it is. */
  type: "fallback";
  /** Why, in a few words. */
  cause: string;
}

/** A worker has died of a fault of ours, and another has taken its place. Its connections are gone. */
export interface ReplacedEvent {
  /** Which event it is. */
  type: "replaced";
  /** The number of the worker, from 0 on. */
  worker: number;
  /** Why it died. */
  cause: string;
}

/** The kinds of event that a stranger can cause at any rate. */
export type Limited = "connected" | "echoed" | "disconnected" | "refused" | "failed";

/** All of them. */
export const LIMITED: readonly Limited[] = ["connected", "echoed", "disconnected", "refused", "failed"];

/** How many events of each kind anybody has use for in a second; `Infinity` for all. */
export type EventRates = Readonly<Record<Limited, number>>;

/** More has happened than anybody has use for. */
export interface OmittedEvent {
  /** Which event it is. */
  type: "omitted";
  /** What has happened. */
  of: Limited;
  /** How often. */
  count: number;
  /** How many bytes it was about; 0 where it is about none. */
  bytes: number;
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
  /** How many workers died of a fault of ours and were replaced. */
  replaced: number;
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
  | FallbackEvent
  | ConnectedEvent
  | EchoedEvent
  | RefusedEvent
  | DisconnectedEvent
  | FailedEvent
  | OmittedEvent
  | ReplacedEvent
  | StoppingEvent
  | StoppedEvent;

/** Told of what happens. It must not wait for anything: whoever serves waits for it. */
export type Subscriber = (event: ServerEvent) => void;

/** The name of a kind of event. */
export type EventType = ServerEvent["type"];

interface Subscription {
  subscriber: Subscriber;
  types: readonly EventType[] | undefined;
  perSecond: Partial<EventRates>;
}

/** Those who want to know what happens in a server, by what they want to know. */
export class Subscribers {
  /** Told when somebody wants to know something else. */
  onChange: (() => void) | undefined;
  #all: readonly Subscription[] = [];
  #rates: EventRates = this.#count();

  /** Whether anybody wants to know of each message: else nothing is made for it. */
  get wantsEchoed(): boolean {
    return this.#rates.echoed > 0;
  }

  /** How many events of each kind anybody has use for. */
  get rates(): EventRates {
    return this.#rates;
  }

  /**
   * Adds one.
   *
   * @param subscriber Told of what happens.
   * @param types The kinds of event to tell it of. Default: all.
   * @param perSecond How many of a kind it has use for in a second. It may get more; but where all are content with less
   * than happens, the rest may just be counted, and told as `omitted`. Default: all.
   * @returns Removes it.
   */
  add(subscriber: Subscriber, types?: readonly EventType[], perSecond: Partial<EventRates> = {}): () => void {
    const entry = { subscriber, types, perSecond };
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
      if (types !== undefined && !types.includes(event.type === "omitted" ? event.of : event.type)) continue;
      try {
        subscriber(event);
      } catch (error) {
        reportError(error);
      }
    }
  }

  #change(all: readonly Subscription[]): void {
    this.#all = all;
    this.#rates = this.#count();
    this.onChange?.();
  }

  #count(): EventRates {
    const rateOf = (kind: Limited) =>
      Math.max(
        0,
        ...this.#all.map(({ types, perSecond }) => {
          return types === undefined || types.includes(kind) ? perSecond[kind] ?? Infinity : 0;
        }),
      );
    return Object.fromEntries(LIMITED.map((kind) => [kind, rateOf(kind)])) as unknown as EventRates;
  }
}
