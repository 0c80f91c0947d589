/**
 * The echo service (RFC 862): what comes in goes out, byte for byte.
 *
 * @module
 */

import { isQuit } from "../../lib/quit.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import type { Progress, Service, ServiceEnding, ServiceType } from "./service.ts";
import { turns } from "./turns.ts";

/**
 * A connection starts with a small buffer, so that thousands of idle ones cost little, and gets one four times as large
 * each time a read fills it, up to what makes bulk transfer fast.
 */
const SMALLEST_BUFFER = 1024;
const LARGEST_BUFFER = 256 * 1024;

/** How long a client may take to close its side after `quit`, in milliseconds. */
export const QUIT_LINGER = 1000;

/** The echo service. */
export const echo: ServiceType = {
  options: { "no-quit": { help: "--no-quit for this endpoint alone", parse: () => true } },
  create: (options, defaults) => new Echo(defaults.quit && options["no-quit"] !== true),
};

class Echo implements Service {
  #quit: boolean;

  constructor(quit: boolean) {
    this.#quit = quit;
  }

  /**
   * Never reads ahead of what it has written, so a client that stops reading is no longer read from, and memory stays
   * bounded.
   */
  async serveStream(conn: StreamConn, progress: Progress): Promise<ServiceEnding> {
    let buffer = new Uint8Array(SMALLEST_BUFFER);
    // Messages are often of one size: the view of the last one serves again.
    let message = buffer;
    while (true) {
      const length = await conn.read(buffer);
      if (length === null) break;
      turns.served();
      if (message.length !== length) message = buffer.subarray(0, length);
      progress.busy = true;
      let written = await conn.write(message);
      while (written < length) written += await conn.write(buffer.subarray(written, length));
      progress.busy = false;
      progress.answered(message);
      if (this.#quit && isQuit(message)) {
        await endAfterQuit(conn, buffer);
        return "quit";
      }
      if (length === buffer.length && length < LARGEST_BUFFER) message = buffer = new Uint8Array(length * 4);
      if (turns.crowded) await turns.wait();
    }
    await endHalf(conn);
    return "closed";
  }

  answer(message: Uint8Array): Uint8Array {
    return message;
  }

  isLast(message: Uint8Array): boolean {
    return this.#quit && isQuit(message);
  }
}

/**
 * Ends our half, then waits a little for the client to end its own: closing while there is something unread would reset
 * the connection, and the client could lose the echo of its `quit`.
 */
async function endAfterQuit(conn: StreamConn, buffer: Uint8Array): Promise<void> {
  await endHalf(conn);
  const timer = setTimeout(() => {
    try {
      conn.close();
    } catch {
      // The server has closed it meanwhile.
    }
  }, QUIT_LINGER);
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
