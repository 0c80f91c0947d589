/**
 * The other side of a conversation, whatever the transport: send a message, get back what comes for it.
 *
 * @module
 */

/** What came back for a message. */
export interface Echo {
  /**
   * The bytes that came: at most as many as were sent on a stream, a whole datagram otherwise. They may be a view of the
   * message, where that is what came.
   */
  bytes: Uint8Array;
  /** Why nothing more came, where the echo is not whole: `no echo within 5s` … */
  missing?: string;
  /** Whether nothing more can come, as the other side has ended the conversation. */
  ended?: true;
}

/** An echo that came whole only after its wait was over. */
export interface LateEcho {
  /** What was sent. */
  message: Uint8Array;
  /** What came back, the part that came in time included. */
  bytes: Uint8Array;
}

/** A peer that echoes, or should. */
export interface EchoPeer extends AsyncDisposable {
  /**
   * Sends a message and waits for its echo. One at a time. What earlier messages are still owed is known when it comes:
   * it is late, and not taken for this echo.
   *
   * @param message The message; it must not change before its echo has come.
   * @returns What came back.
   * @throws {MeariError} If the message could not be sent.
   * @throws The reason of the signal where that ends the wait.
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
  /** Ends connecting, and each wait for an echo, at once. */
  signal?: AbortSignal;
  /** Told of bytes that no message asked for; they are valid only during the call. */
  onSurplus?: (bytes: Uint8Array) => void;
  /** Told of an echo that is late. */
  onLate?: (echo: LateEcho) => void;
}
