/**
 * Listeners: opened all or none, and their accept loop.
 *
 * @module
 */

import { BackOff } from "../lib/back_off.ts";
import {
  closeListening,
  type Endpoint,
  type Listener,
  type Listening,
  listenTogether,
  type NativeListening,
} from "../lib/transport/mod.ts";

/**
 * Listens at all endpoints or, where one of them fails, at none.
 *
 * @param groups Where; those of a group that ask for port 0 get one port in common.
 * @param open Listens at one of them.
 * @returns What listens there, in their order.
 * @throws {EndpointError} If it cannot listen at one of them.
 */
export async function listenAtAll(
  groups: readonly (readonly Endpoint[])[],
  open?: (endpoint: Endpoint) => Promise<Listening | NativeListening>,
): Promise<(Listening | NativeListening)[]> {
  const listening: (Listening | NativeListening)[] = [];
  try {
    for (const group of groups) listening.push(...await listenTogether(group, open));
    return listening;
  } catch (error) {
    listening.forEach(closeListening);
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
