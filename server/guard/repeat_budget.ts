/**
 * A bound on senders that send the same again and again.
 *
 * @module
 */

/** How large the budget is. */
export interface RepeatBudgetOptions {
  /** How often a sender may repeat what it has sent before. Default: 200,000, some seconds of a load generator. */
  repeats?: number;
  /** How long a sender is not answered after that, in milliseconds. Default: 1000, more than a loop takes for a round. */
  pause?: number;
  /** The time in milliseconds. Default: since the program started. */
  now?: () => number;
}

/** How many datagrams are remembered: far more than the buffers of two sockets hold, so that a loop finds its own again. */
const DATAGRAMS = 65_536;

/** How many budgets there are; senders whose hashes end alike share one. */
const BUDGETS = 4096;

/** How many bytes at the beginning and at the end tell one datagram from another, besides its length. */
const COMPARED = 16;

/**
 * Ends loops. Where two servers answer each other's answers, the same datagrams come again each round, as fast as they
 * can. A sender that has used up its budget is not answered for a while: whoever only answers has nothing left to send
 * then, and whoever sends on its own goes on with a new budget. New bytes, as most load generators and pings send them,
 * cost nothing. Whatever strangers send, it takes no more memory.
 */
export class RepeatBudget {
  #seen = new Int32Array(DATAGRAMS);
  #repeats = new Uint32Array(BUDGETS);
  /** When each budget was last drawn on, in milliseconds. */
  #drawnAt = new Float64Array(BUDGETS);
  /** Nobody can tell which datagrams have one place, and so make each other forgotten. */
  #basis = Math.floor(Math.random() * 2 ** 32);
  #most: number;
  #pause: number;
  #now: () => number;

  /** @param options How large the budget is. */
  constructor({ repeats = 200_000, pause = 1000, now = () => performance.now() }: RepeatBudgetOptions = {}) {
    this.#most = repeats;
    this.#pause = pause;
    this.#now = now;
  }

  /**
   * Takes a datagram.
   *
   * @param datagram The datagram.
   * @param host The address or the path of its sender.
   * @param port The port of its sender, if it has one.
   * @returns Whether it is within the sender's budget.
   */
  take(datagram: Uint8Array, host: string, port = 0): boolean {
    let sender = Math.imul(this.#basis ^ port, FNV_PRIME);
    for (let i = 0; i < host.length; i++) sender = Math.imul(sender ^ host.charCodeAt(i), FNV_PRIME);
    return this.#take(datagram, 0, datagram.length, sender);
  }

  /**
   * Takes a datagram that is a part of a buffer, without making anything for it.
   *
   * @param buffer Where it is.
   * @param from Where it begins.
   * @param to Where it ends.
   * @param sender What tells its sender from others, as bytes: an address as the system gives it.
   * @param senderFrom Where that begins.
   * @param senderTo Where it ends.
   * @returns Whether it is within the sender's budget.
   */
  takeWithin(
    buffer: Uint8Array,
    from: number,
    to: number,
    sender: Uint8Array,
    senderFrom: number,
    senderTo: number,
  ): boolean {
    return this.#take(buffer, from, to, hashOf(sender, senderFrom, senderTo, this.#basis));
  }

  #take(buffer: Uint8Array, from: number, to: number, sender: number): boolean {
    const budget = sender & (BUDGETS - 1);
    const spent = this.#repeats[budget]! >= this.#most;
    const hash = hashOfDatagram(buffer, from, to, sender);
    const place = hash >>> 16;
    const repeats = this.#seen[place] === hash;
    this.#seen[place] = hash;
    if (!repeats && !spent) return true;
    const now = this.#now();
    const rested = now - this.#drawnAt[budget]! >= this.#pause;
    if (spent && !rested) return false;
    this.#repeats[budget] = rested ? 1 : this.#repeats[budget]! + 1;
    this.#drawnAt[budget] = now;
    return true;
  }
}

/** All hashes are FNV-1a (Fowler, Noll, Vo), of 32 bits. */
const FNV_PRIME = 0x01000193;

function hashOf(bytes: Uint8Array, from: number, to: number, basis: number): number {
  let hash = basis;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash;
}

/** Of the length, the beginning and the end; never 0, which stands for no datagram. */
function hashOfDatagram(buffer: Uint8Array, from: number, to: number, basis: number): number {
  const head = Math.min(to, from + COMPARED);
  const hash = hashOf(buffer, from, head, Math.imul(basis ^ to - from, FNV_PRIME));
  return hashOf(buffer, Math.max(head, to - COMPARED), to, hash) | 1;
}
