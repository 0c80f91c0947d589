/**
 * Pings a server with messages that come back.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { describeCause, UsageError } from "../../lib/errors.ts";
import { whyNotNative } from "../../lib/native/layouts.ts";
import { type Bounds, canConnectNatively, EndpointError, isStream } from "../../lib/transport/mod.ts";
import { openChannel } from "./channel/channel.ts";
import { openNativeEngine, WORKER } from "./native/engine.ts";
import { ProbeFormat } from "./probe.ts";
import { type Carrier, type PingOptions, type PingResult, Session } from "./session.ts";

/**
 * Pings a server that echoes: sends probes on schedule, and tells what became of each.
 *
 * @param endpoint The server.
 * @param options How.
 * @returns What was measured.
 * @throws {UsageError} If the probes are to be empty and the endpoint is a stream, which carries no empty messages.
 * @throws {MeariError} If the server cannot be reached; over datagrams, if that is told before any answer came.
 * @throws The signal's reason if it comes before the server is connected to.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ping } from "@meari/meari/client";
 * import { startServer } from "@meari/meari/server";
 *
 * await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
 * const { summary } = await ping(server.endpoints[0]!, { count: 5, interval: 10 });
 * assertEquals([summary.sent, summary.received, summary.lost], [5, 5, 0]);
 * ```
 */
export async function ping(endpoint: Endpoint, options: PingOptions = {}): Promise<PingResult> {
  const { size = 64, timeout = 5000, signal } = options;
  if (size === 0 && isStream(endpoint)) {
    throw new UsageError(`${formatEndpoint(endpoint)} is a stream, which carries no empty messages`);
  }
  signal?.throwIfAborted();
  const format = new ProbeFormat(size);
  const session = new Session(options, format);
  const bounds = { timeout, ...(signal && { signal }) };
  const by = isNative(endpoint, options.engine)
    ? await openNativeEngine(endpoint, { ...bounds, format, session })
    : await openCarrier(endpoint, bounds, format, session);
  const result = await session.run(by);
  const { summary, failure } = result;
  if (failure instanceof EndpointError && summary.lost === summary.sent) throw failure;
  return result;
}

/** Tells whether the probes go out in a thread of its own. */
function isNative(endpoint: Endpoint, engine: PingOptions["engine"] = "auto"): boolean {
  if (engine === "portable") return false;
  const why = canConnectNatively(endpoint) ? whyNotNative(WORKER) : `not over ${endpoint.transport}`;
  if (engine === "native" && why !== undefined) throw new UsageError(`no native sockets: ${why}`);
  return why === undefined;
}

async function openCarrier(
  endpoint: Endpoint,
  bounds: Bounds,
  format: ProbeFormat,
  session: Session,
): Promise<Carrier> {
  const channel = await openChannel(endpoint, {
    ...bounds,
    format,
    onAnswer: (answer) => session.tell(session.tally.answer(answer, session.now())),
  });
  return {
    peer: channel.peer,
    ended: channel.ended,
    launch: () => {
      const probe = format.make(session.tally.sent + 1);
      // As little as possible is between reading the clock and the system call.
      const sentAt = session.now();
      format.stamp(probe, sentAt);
      const sending = channel.send(probe);
      const sequence = session.tally.send(sentAt);
      sending.catch((error) => session.fail(sequence, describeCause(error)));
    },
    close: () => channel.close(),
  };
}
