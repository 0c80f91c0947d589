/**
 * Byte streams over Unix sockets.
 *
 * @module
 */

import type { UnixEndpoint } from "../endpoint.ts";
import type { Bounds, StreamConn, StreamListener } from "./types.ts";
import { bindUnixFile } from "./unix_file.ts";

/**
 * Listens on a Unix socket.
 *
 * @param endpoint The path of the socket file, which is made here and removed by `close`.
 * @returns The listener.
 * @throws The operating system's error.
 */
export function listenUnix(endpoint: UnixEndpoint): Promise<StreamListener> {
  return bindUnixFile(endpoint.path, (path): StreamListener => Deno.listen({ transport: "unix", path }));
}

/**
 * Connects to a Unix socket.
 *
 * @param endpoint The path of the socket file.
 * @param bounds How long it may take.
 * @returns The connection.
 * @throws The operating system's error, or a `TimeoutError`.
 */
export async function connectUnix(endpoint: UnixEndpoint, bounds: Bounds): Promise<StreamConn> {
  const connecting = Deno.connect({ transport: "unix", path: endpoint.path });
  const timeout = AbortSignal.timeout(bounds.timeout);
  const signal = bounds.signal ? AbortSignal.any([timeout, bounds.signal]) : timeout;
  // Deno takes no signal here. A connection that comes too late is closed when it comes.
  return await new Promise<StreamConn>((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      connecting.then((late) => late.close(), () => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    connecting.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
