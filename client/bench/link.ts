/**
 * What a load sees of a connection, or of a socket of datagrams, and the faults that all of them can find.
 *
 * @module
 */

/** A connection, or a socket of datagrams, under load. */
export interface Link {
  /** Resolves once it has broken, with the cause, or was ended. */
  readonly finished: Promise<string | undefined>;
  /** Whether anything has come back. */
  readonly answered: boolean;
  /** Begins to exchange messages; to be called once, after the first ones were pushed. */
  start(): void;
  /**
   * Sends messages, after those that are being sent.
   *
   * @param count How many.
   * @param now The time, at which they are due if the load has no rate.
   */
  push(count: number, now: number): void;
  /**
   * Looks for answers that are overdue. To be called again and again.
   *
   * @param now The time.
   */
  watch(now: number): void;
  /** Ends it politely, in a bounded time. */
  end(): Promise<void>;
  /**
   * Ends it at once.
   *
   * @param cause Why, where it is the server's fault.
   */
  cut(cause?: string): void;
  /**
   * Gives up the messages that are under way, after the end.
   *
   * @param lost Whether to count them as lost.
   * @returns How many messages were not begun to be sent; they are still to be sent, by another.
   */
  abandon(lost: boolean): number;
}

/** The place of a connection in a load, which a connection that replaces it takes over. */
export interface Place {
  /** Its number in the whole load. */
  readonly number: number;
  /** How many messages of it were begun to be sent. */
  begun: number;
}

/** More came back than was sent. */
export const SURPLUS = "more came back than was sent";

/** What came back is not what was sent. */
export const MISMATCH = "other bytes came back";

/** The server ended a connection. */
export const CLOSED = "the server closed the connection";
