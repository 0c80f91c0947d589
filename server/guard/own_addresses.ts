/**
 * Which addresses are the server's own.
 *
 * @module
 */

import { type Address, plainHost } from "../../lib/transport/mod.ts";

/** Addresses that stand for all of a machine's. */
const EVERY = ["0.0.0.0", "::"];

/** How long it is taken for granted that the machine has the same addresses, in milliseconds. */
const FRESH = 1000;

/**
 * The addresses that sockets are bound to. A socket that is bound to every address has all those of this machine; where
 * the program cannot look at them, the port alone decides.
 */
export class OwnAddresses {
  #bound: readonly Address[];
  #ofMachine: ReadonlySet<string> | undefined;
  #lookedAt = -Infinity;

  /** @param bound What the sockets are bound to. */
  constructor(bound: readonly Address[]) {
    this.#bound = bound;
  }

  /**
   * Tells whether one of them has a port, which is known at less cost than whether it is a whole address.
   *
   * @param port The port.
   * @returns Whether one has.
   */
  havePort(port: number): boolean {
    for (const own of this.#bound) if ("port" in own && own.port === port) return true;
    return false;
  }

  /**
   * Tells whether an address is one of them.
   *
   * @param address The address.
   * @returns Whether it is.
   */
  has(address: Address): boolean {
    if ("path" in address) return this.#bound.some((own) => "path" in own && own.path === address.path);
    for (const own of this.#bound) {
      if (!("port" in own) || own.port !== address.port) continue;
      const host = plainHost(address.hostname);
      if (plainHost(own.hostname) === host || (EVERY.includes(own.hostname) && this.#isOfMachine(host))) return true;
    }
    return false;
  }

  #isOfMachine(host: string): boolean {
    if (performance.now() - this.#lookedAt >= FRESH) {
      this.#ofMachine = addressesOfMachine();
      this.#lookedAt = performance.now();
    }
    return this.#ofMachine === undefined || this.#ofMachine.has(host) || host.startsWith("127.");
  }
}

function addressesOfMachine(): ReadonlySet<string> | undefined {
  // Without the permission Deno would stop the whole program to ask a person.
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  if (state !== "granted") return undefined;
  try {
    return new Set(Deno.networkInterfaces().map(({ address }) => address));
  } catch {
    // A sandbox may forbid it nevertheless.
    return undefined;
  }
}
