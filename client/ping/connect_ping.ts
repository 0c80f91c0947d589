/**
 * Pings a server by connecting to it, anew each time.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { describeCause, UsageError } from "../../lib/errors.ts";
import { connectMessages, connectStream, EndpointError, isDatagram, isStream } from "../../lib/transport/mod.ts";
import { ProbeFormat } from "./probe.ts";
import { type PingOptions, type PingResult, Session } from "./session.ts";

/**
 * Measures how long connecting takes, with a new connection each time.
 *
 * @param endpoint An endpoint of a transport of streams or messages.
 * @param options How; `size` is of no account.
 * @returns What was measured. A sample is a connection that was made.
 * @throws {UsageError} If the endpoint carries datagrams, for which no connection is made.
 * @throws {MeariError} If no connection at all could be made.
 */
export async function connectPing(endpoint: Endpoint, options: PingOptions = {}): Promise<PingResult> {
  if (isDatagram(endpoint)) throw new UsageError(`${formatEndpoint(endpoint)} has no connections`);
  const open = isStream(endpoint) ? connectStream : connectMessages;
  const session = new Session(options, new ProbeFormat(0));
  const over = new AbortController();
  const bounds = { timeout: options.timeout ?? 5000, signal: over.signal };
  let lastFailure: unknown;
  const pending = new Set<Promise<void>>();
  const connect = async () => {
    const sequence = session.tally.send(session.now());
    try {
      const conn = await open(endpoint, bounds);
      const connectedAt = session.now();
      conn.close();
      session.tell(session.tally.complete(sequence, connectedAt));
    } catch (error) {
      if (over.signal.aborted) return;
      lastFailure = error;
      session.fail(sequence, describeCause(error instanceof EndpointError ? error.cause : error));
    }
  };
  const result = await session.run({
    peer: formatEndpoint(endpoint).replace(/^\w+:\/\//, ""),
    launch: () => {
      const connecting = connect().finally(() => pending.delete(connecting));
      pending.add(connecting);
    },
    close: () => over.abort(),
  });
  await Promise.all(pending);
  if (result.summary.received === 0 && lastFailure !== undefined) throw lastFailure;
  return result;
}
