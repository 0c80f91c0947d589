/**
 * Listeners: opened all or none, and their accept loop.
 *
 * @module
 */

import { BackOff } from "../lib/back_off.ts";
import { type Endpoint, listen, type Listener, type Listening } from "../lib/transport/mod.ts";

/**
 * Listens at all endpoints or, where one of them fails, at none.
 *
 * @param endpoints Where.
 * @returns What listens there, in their order.
 * @throws {EndpointError} If it cannot listen at one of them.
 */
export async function listenAtAll(endpoints: readonly Endpoint[]): Promise<Listening[]> {
  const listening: Listening[] = [];
  try {
    for (const endpoint of endpoints) listening.push(await listen(endpoint));
    return listening;
  } catch (error) {
    for (const each of listening) (each.kind === "datagram" ? each.socket : each.listener).close();
    throw error;
  }
}

/** What an accept loop tells. */
export interface AcceptOptions<C> {
  /** Told of each connection. */
  onConnection: (conn: C) => void;
  /** Told why accepting failed; it is tried again after a pause. */
  onFailure: (error: unknown) => void;
  /** Closes the listener, which ends the loop. */
  signal: AbortSignal;
}

/**
 * Accepts connections until it is told to stop.
 *
 * @param listener The listener.
 * @param options What to tell, and what ends it.
 */
export async function acceptAll<C extends { close(): void }>(
  listener: Listener<C>,
  { onConnection, onFailure, signal }: AcceptOptions<C>,
): Promise<void> {
  signal.addEventListener("abort", () => listener.close());
  const backOff = new BackOff(5, 1000);
  while (!signal.aborted) {
    let conn: C;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error);
      await backOff.wait(signal);
      continue;
    }
    backOff.reset();
    if (signal.aborted) conn.close();
    else onConnection(conn);
  }
}
