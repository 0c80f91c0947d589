/**
 * What an endpoint does with a conversation. A service never knows which transport carries it, who was let in, or who
 * watches.
 *
 * @module
 */

import type { EndpointOptions, EndpointValue, StreamConn } from "../../lib/transport/mod.ts";

/** What a service tells about a conversation while it serves it; plain numbers, which cost nothing. */
export interface Progress {
  /** Whether something came that is not wholly answered yet. */
  busy: boolean;
  /**
   * Counts a message, after it was answered.
   *
   * @param message What came, valid only during the call.
   */
  answered(message: Uint8Array): void;
}

/** How a conversation ended by itself: the client ended it, or said `quit`. */
export type ServiceEnding = "closed" | "quit";

/** What an endpoint does with a conversation. */
export interface Service {
  /**
   * Serves a byte stream to its end. The caller closes the connection.
   *
   * @param conn The connection.
   * @param progress Told of each answer.
   * @returns How it ended.
   * @throws The operating system's error if the connection breaks.
   */
  serveStream(conn: StreamConn, progress: Progress): Promise<ServiceEnding>;
  /**
   * Answers a whole message: a datagram, or one of a conversation in messages.
   *
   * @param message The message, valid only during the call.
   * @returns What to send back, possibly the message itself; `undefined` for nothing.
   */
  answer(message: Uint8Array): Uint8Array | undefined;
  /**
   * Tells whether a message ends a conversation, once it is answered.
   *
   * @param message The message.
   * @returns Whether it does.
   */
  isLast(message: Uint8Array): boolean;
}

/** How a service behaves where its endpoint does not say. */
export interface ServiceDefaults {
  /** Whether `quit` alone ends a conversation. */
  quit: boolean;
}

/** A row of the table of services. */
export interface ServiceType {
  /** The options that an endpoint with this service takes. */
  readonly options: EndpointOptions;
  /**
   * Makes the service of an endpoint.
   *
   * @param options The options of the endpoint.
   * @param defaults What holds where they are silent.
   * @returns The service.
   */
  create(options: Readonly<Record<string, EndpointValue>>, defaults: ServiceDefaults): Service;
}
