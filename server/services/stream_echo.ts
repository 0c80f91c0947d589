/**
 * The echo service on a byte stream (RFC 862): what comes in goes out, byte for byte.
 *
 * @module
 */

import { isQuit } from "../../lib/quit.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";

/**
 * A connection starts with a small buffer, so that thousands of idle ones cost little, and gets one four times as large
 * each time a read fills it, up to what makes bulk transfer fast.
 */
const SMALLEST_BUFFER = 1024;
const LARGEST_BUFFER = 256 * 1024;

/** How long a client may take to close its side after `quit`, in milliseconds. */
const QUIT_LINGER = 1000;

/** What an echo tells about itself while it runs. */
export interface StreamEchoProgress {
  /** How many reads were echoed. */
  messages: number;
  /** How many bytes were echoed. */
  bytes: number;
  /** Whether something was read that is not wholly echoed yet. */
  busy: boolean;
}

/** How to echo. */
export interface StreamEchoOptions<P extends StreamEchoProgress> {
  /** Whether a read that returns just `quit` ends the connection. */
  quit: boolean;
  /** Told of each message after it was echoed; the message is valid only during the call. */
  onEcho: (progress: P, message: Uint8Array) => void;
}

/**
 * Echoes until the client ends its half of the stream or says `quit`; then ends this half too. It never reads ahead of
 * what it has written, so a client that stops reading is no longer read from, and memory stays bounded.
 *
 * @param conn The connection. The caller closes it.
 * @param progress Counts what was echoed, for a caller that looks on.
 * @param options How to echo.
 * @returns `closed` if the client ended the stream, `quit` if it said so.
 * @throws The operating system's error if the connection breaks.
 */
export async function echoStream<P extends StreamEchoProgress>(
  conn: StreamConn,
  progress: P,
  options: StreamEchoOptions<P>,
): Promise<"closed" | "quit"> {
  let buffer = new Uint8Array(SMALLEST_BUFFER);
  // Messages are often of one size: the view of the last one serves again.
  let message = buffer;
  while (true) {
    const length = await conn.read(buffer);
    if (length === null) break;
    if (message.length !== length) message = buffer.subarray(0, length);
    progress.busy = true;
    let written = await conn.write(message);
    while (written < length) written += await conn.write(buffer.subarray(written, length));
    progress.busy = false;
    progress.messages++;
    progress.bytes += length;
    options.onEcho(progress, message);
    if (options.quit && isQuit(message)) {
      await sayGoodbye(conn, buffer);
      return "quit";
    }
    if (length === buffer.length && length < LARGEST_BUFFER) message = buffer = new Uint8Array(length * 4);
  }
  await endHalf(conn);
  return "closed";
}

/**
 * Ends our half, then waits a little for the client to end its own: closing while there is something unread would reset
 * the connection, and the client could lose the echo of its `quit`.
 */
async function sayGoodbye(conn: StreamConn, buffer: Uint8Array): Promise<void> {
  await endHalf(conn);
  const timer = setTimeout(() => conn.close(), QUIT_LINGER);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // The client reset the connection, or its time was up.
  } finally {
    clearTimeout(timer);
  }
}

async function endHalf(conn: StreamConn): Promise<void> {
  try {
    await conn.closeWrite();
  } catch {
    // The client has gone entirely: there is nobody left to tell.
  }
}
