/**
 * Byte streams over Unix sockets.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { errorCode } from "../../errors.ts";
import type { Bounds, Listener, StreamConn, StreamTransport, UnixAddress, UnixEndpoint } from "../types.ts";
import { addressInUse, claimPath, SocketFile, socketPath, temporaryPath } from "./file.ts";

/** Byte streams over Unix sockets. The socket file is made here, and removed when the listener is closed. */
export const unix: StreamTransport = {
  kind: "stream",
  form: "path",
  help: "streams over a Unix socket",
  listen,
  connect,
};

/** How long to wait for a place in a full queue of connections before the next attempt, in milliseconds. */
const RETRY = 10;

async function listen(endpoint: UnixEndpoint): Promise<Listener<StreamConn>> {
  const path = socketPath(endpoint.path);
  const listener = await claimPath(path, () => bindUnderOtherName(path));
  const file = new SocketFile(path);
  const addr: UnixAddress = { transport: "unix", path };
  return {
    addr,
    accept: async () => {
      while (true) {
        try {
          return Object.defineProperty(await listener.accept(), "localAddr", { value: addr });
        } catch (error) {
          // Deno drops the connection of a client whose path is not UTF-8: on to the next.
          if (!(error instanceof Deno.errors.InvalidData)) throw error;
        }
      }
    },
    close: () => {
      file.remove();
      listener.close();
    },
  };
}

/**
 * Deno's listener removes whatever has the path that it was bound to, some time after it is closed. So it is bound under
 * another name, and its file then moves to the path. It is moved by a link, which fails where there is a file already. The
 * other name is what the system knows of the socket: `ss` shows it, and so does getpeername(2).
 */
function bindUnderOtherName(path: string): Deno.UnixListener {
  const otherName = temporaryPath(path);
  const listener = Deno.listen({ transport: "unix", path: otherName });
  try {
    Deno.linkSync(otherName, path);
  } catch (error) {
    listener.close();
    throw errorCode(error) === "EEXIST" ? addressInUse() : error;
  }
  Deno.removeSync(otherName);
  return listener;
}

/** Waits for a place while the listener's queue is full: Deno fails at once (`EAGAIN`), as the system does for TCP only. */
async function connect(endpoint: UnixEndpoint, bounds: Bounds): Promise<StreamConn> {
  const path = socketPath(endpoint.path);
  const timeout = AbortSignal.timeout(bounds.timeout);
  const signal = bounds.signal ? AbortSignal.any([timeout, bounds.signal]) : timeout;
  while (true) {
    signal.throwIfAborted();
    try {
      const conn = await Deno.connect({ transport: "unix", path });
      return Object.defineProperty(conn, "remoteAddr", { value: { transport: "unix", path: endpoint.path } });
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
    }
    await delay(RETRY, { signal });
  }
}
