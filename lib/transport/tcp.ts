/**
 * Byte streams over TCP.
 *
 * @module
 */

import { errorCode } from "../errors.ts";
import { connectToHost } from "./host.ts";
import type { Bounds, InetEndpoint, Listener, StreamConn, StreamTransport } from "./types.ts";

/** Byte streams over TCP. */
export const tcp: StreamTransport = { kind: "stream", form: "inet", help: "streams over TCP", listen, connect };

/**
 * Longer than Deno's 511, so that a burst of clients is not turned away; the kernel cuts it to its own limit
 * (`net.core.somaxconn`).
 */
export const BACKLOG = 4096;

/** How accepting fails where the client has gone meanwhile: Deno asks the connection for its addresses. */
const GONE = ["ENOTCONN", "ECONNABORTED", "ECONNRESET"];

/**
 * Its connections have Nagle's algorithm (RFC 896) off: it would hold back the echo of a second small message until the
 * first is acknowledged.
 */
function listen(endpoint: InetEndpoint): Listener<StreamConn> {
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

async function connect(endpoint: InetEndpoint, bounds: Bounds): Promise<StreamConn> {
  return await connectToHost(
    endpoint.host,
    bounds,
    async (hostname, signal) => withoutNagle(await Deno.connect({ hostname, port: endpoint.port, signal })),
  );
}

function withoutNagle(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setNoDelay();
  } catch {
    // The other side has reset the connection already; the first read will say so.
  }
  return conn;
}
