import { type Transport, transports } from "../../lib/transport/mod.ts";

/** Adds a row of the test's own to the table of transports, until it is disposed. */
export function ownTransport(name: string, row: Transport): Disposable {
  const rows = transports as Map<string, Transport>;
  rows.set(name, row);
  return { [Symbol.dispose]: () => void rows.delete(name) };
}
