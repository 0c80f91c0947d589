/**
 * Hosts: their addresses, and which of them answers.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { waitAtMost } from "../wait_at_most.ts";

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
