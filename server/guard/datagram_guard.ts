/**
 * Which datagrams are not answered: two servers that answer each other's answers would go on for ever, and whoever can
 * forge a sender's address could start them.
 *
 * @module
 */

import type { Address } from "../../lib/transport/mod.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { RepeatBudget } from "./repeat_budget.ts";

/**
 * Ports whose services answer what is no request, too, and so would answer an answer, or to which people send in others'
 * names to make them answer. By IANA's names: echo, daytime, qotd, chargen, time, domain, tftp, sunrpc, ntp, netbios-ns,
 * snmp, ldap, ssdp, mdns, memcache.
 */
const ANSWERING_PORTS: ReadonlySet<number> = new Set(
  [7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 161, 389, 1900, 5353, 11211],
);

/** Why a datagram was not answered. */
export type DatagramRefusal =
  /** It has no sender that could be answered: port 0, or a Unix socket without a path. */
  | "no return address"
  /** It comes from a port whose service would answer the answer. */
  | "answering port"
  /** It claims to come from an address that this server serves itself. */
  | "own address"
  /** Its sender has sent the same too often, as a loop does. */
  | "repeats"
  /** Its sender does not read. */
  | "peer does not read";

/** A sender as the system gives it. */
export interface RawSender {
  /** Its port. */
  readonly port: number;
  /** Where its address is, the port included. */
  readonly bytes: Uint8Array;
  /** Where in that the address begins. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
  /** Reads the address. */
  address(): Address;
}

/** Decides which datagrams are answered. */
export class DatagramGuard {
  #own: OwnAddresses;
  #budget: RepeatBudget;

  /**
   * @param own What the server's own sockets are bound to.
   * @param budget Holds each sender to its repetitions.
   */
  constructor(own: readonly Address[], budget: RepeatBudget = new RepeatBudget()) {
    this.#own = new OwnAddresses(own);
    this.#budget = budget;
  }

  /**
   * Looks at a datagram.
   *
   * @param datagram The datagram.
   * @param from Its sender, as it says.
   * @returns Why it is not to be answered; `undefined` where it is.
   */
  refuse(datagram: Uint8Array, from: Address): DatagramRefusal | undefined {
    if ("path" in from ? !from.path : from.port === 0) return "no return address";
    if ("port" in from && ANSWERING_PORTS.has(from.port)) return "answering port";
    if (this.#own.has(from)) return "own address";
    const within = "path" in from
      ? this.#budget.take(datagram, from.path!)
      : this.#budget.take(datagram, from.hostname, from.port);
    return within ? undefined : "repeats";
  }

  /**
   * Looks at a datagram that is a part of a buffer, as {@linkcode refuse} does, without making anything for it.
   *
   * @param buffer Where it is.
   * @param from Where it begins.
   * @param to Where it ends.
   * @param sender Its sender.
   * @returns Why it is not to be answered; `undefined` where it is.
   */
  refuseWithin(buffer: Uint8Array, from: number, to: number, sender: RawSender): DatagramRefusal | undefined {
    const { port } = sender;
    if (port === 0) return "no return address";
    if (ANSWERING_PORTS.has(port)) return "answering port";
    if (this.#own.havePort(port) && this.#own.has(sender.address())) return "own address";
    const within = this.#budget.takeWithin(buffer, from, to, sender.bytes, sender.from, sender.to);
    return within ? undefined : "repeats";
  }
}
