/**
 * Byte streams over Unix sockets.
 *
 * @module
 */

import type { Bounds, Listener, StreamConn, StreamTransport, UnixEndpoint } from "./types.ts";
import { bindUnixFile } from "./unix_file.ts";

/** Byte streams over Unix sockets. The socket file is made here, and removed when the listener is closed. */
export const unix: StreamTransport = { kind: "stream", form: "path", listen, connect };

function listen(endpoint: UnixEndpoint): Promise<Listener<StreamConn>> {
  return bindUnixFile(endpoint.path, (path): Listener<StreamConn> => Deno.listen({ transport: "unix", path }));
}

async function connect(endpoint: UnixEndpoint, bounds: Bounds): Promise<StreamConn> {
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
