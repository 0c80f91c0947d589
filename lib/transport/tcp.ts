/**
 * Byte streams over TCP.
 *
 * @module
 */

import type { InetEndpoint } from "../endpoint.ts";
import { errorCode } from "../errors.ts";
import { waitAtMost } from "../wait_at_most.ts";
import { addressesOf } from "./host.ts";
import type { Bounds, StreamConn, StreamListener } from "./types.ts";

/**
 * Longer than Deno's 511, so that a burst of clients is not turned away; the kernel cuts it to its own limit
 * (`net.core.somaxconn`).
 */
const BACKLOG = 4096;

/** How accepting fails where the client has gone meanwhile: Deno asks the connection for its addresses. */
const GONE = ["ENOTCONN", "ECONNABORTED", "ECONNRESET"];

/**
 * Listens for TCP connections.
 *
 * @param endpoint Where; port 0 lets the kernel choose.
 * @returns The listener. Its connections have Nagle's algorithm (RFC 896) off: it would hold back the echo of a second
 * small message until the first is acknowledged.
 * @throws The operating system's error.
 */
export function listenTcp(endpoint: InetEndpoint): StreamListener {
  const listener = Deno.listen({ hostname: endpoint.host, port: endpoint.port, tcpBacklog: BACKLOG });
  return {
    addr: listener.addr,
    accept: async () => {
      while (true) {
        try {
          return withoutNagle(await listener.accept());
        } catch (error) {
          // A client that has reset its connection before it was accepted is nobody's failure: on to the next.
          if (!GONE.includes(errorCode(error) ?? "")) throw error;
        }
      }
    },
    close: () => listener.close(),
  };
}

/**
 * Connects over TCP. Where a name stands for several addresses they are tried in turn: Deno itself tries only the first.
 *
 * @param endpoint Where to.
 * @param bounds How long it may take in all.
 * @returns The connection, with Nagle's algorithm off.
 * @throws The operating system's error at the last address, `ENOTFOUND` for an unknown name, or a `TimeoutError`.
 */
export async function connectTcp(endpoint: InetEndpoint, bounds: Bounds): Promise<StreamConn> {
  const timeout = AbortSignal.timeout(bounds.timeout);
  const signal = bounds.signal ? AbortSignal.any([timeout, bounds.signal]) : timeout;
  const addresses = await waitAtMost(bounds.timeout, addressesOf(endpoint.host));
  if (addresses === undefined) throw new DOMException("the name was not resolved in time", "TimeoutError");
  let failure: unknown;
  for (const hostname of addresses) {
    try {
      return withoutNagle(await Deno.connect({ hostname, port: endpoint.port, signal }));
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

function withoutNagle(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setNoDelay();
  } catch {
    // The other side has reset the connection already; the first read will say so.
  }
  return conn;
}
