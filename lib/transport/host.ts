/**
 * Hosts: their addresses, and which of them answers.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { waitAtMost } from "../wait_at_most.ts";
import type { Bounds } from "./types.ts";

/** How long an address of a host is tried alone, in milliseconds (RFC 8305 section 8). */
const ATTEMPT_DELAY = 250;

/**
 * Finds the addresses of a host, as the system's resolver has them.
 *
 * @param host A name, or an IP address, which stands for itself.
 * @param signal Ends the wait for the resolver.
 * @returns IP addresses, at least one, in the resolver's order.
 * @throws `ENOTFOUND` for an unknown name, or the signal's reason.
 */
export async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted();
  if (host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return [host];
  const { lookup } = await import("node:dns/promises");
  return (await abortable(lookup(host, { all: true }), signal)).map(({ address }) => address);
}

/**
 * Connects to the first of some addresses that answers. As in RFC 8305 section 5 the next attempt begins when the last one
 * has failed, or has taken its share of the time; the first success ends the others.
 *
 * @param addresses IP addresses, the preferred one first.
 * @param share How long an attempt is alone, in milliseconds. RFC 8305 recommends 250.
 * @param signal Ends all attempts.
 * @param connect Connects to an address; its signal ends the attempt soon.
 * @returns The first connection. One that comes later all the same is closed.
 * @throws What the last attempt fails with where all do, or the signal's reason.
 */
export async function connectToFirst<T extends { close(): void }>(
  addresses: readonly string[],
  share: number,
  signal: AbortSignal,
  connect: (address: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  let first: T | undefined;
  let failure: unknown;
  const attempt = async (address: string) => {
    try {
      const conn = await connect(address, ended);
      if (first !== undefined) return conn.close();
      first = conn;
      over.abort();
    } catch (error) {
      failure = error;
    }
  };
  const attempts: Promise<void>[] = [];
  for (const address of addresses) {
    const trying = attempt(address);
    attempts.push(trying);
    await waitAtMost(share, trying);
    if (ended.aborted) break;
  }
  await Promise.all(attempts);
  if (first !== undefined) return first;
  signal.throwIfAborted();
  throw failure;
}

/**
 * Connects to a host at the first of its addresses that answers. Deno itself tries only the first of a name's addresses.
 *
 * @param host A name or an IP address.
 * @param bounds How long it may take.
 * @param connect Connects to an address; its signal ends the attempt soon.
 * @returns The connection.
 * @throws What the last attempt fails with, `ENOTFOUND` for an unknown name, or the reason of a signal.
 */
export async function connectToHost<T extends { close(): void }>(
  host: string,
  bounds: Bounds,
  connect: (address: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = signalOf(bounds);
  const addresses = await addressesOf(host, signal);
  return await connectToFirst(addresses, Math.min(ATTEMPT_DELAY, bounds.timeout / addresses.length), signal, connect);
}

/**
 * Finds the address of a host to send datagrams to. Of several an IPv4 one is preferred, as a datagram cannot find out which
 * of them is served.
 *
 * @param host A name or an IP address.
 * @param bounds How long it may take.
 * @returns The address.
 * @throws `ENOTFOUND` for an unknown name, or the reason of a signal.
 */
export async function datagramAddressOf(host: string, bounds: Bounds): Promise<string> {
  const addresses = await addressesOf(host, signalOf(bounds));
  return addresses.find((address) => !address.includes(":")) ?? addresses[0]!;
}

/**
 * Makes a signal of bounds.
 *
 * @param bounds How long something may take.
 * @returns Aborted where the time is over, or by the signal of the bounds.
 */
export function signalOf({ timeout, signal }: Bounds): AbortSignal {
  const bound = AbortSignal.timeout(timeout);
  return signal ? AbortSignal.any([bound, signal]) : bound;
}
