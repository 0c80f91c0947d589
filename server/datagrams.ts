/**
 * The receive loop of a socket of datagrams.
 *
 * @module
 */

import { BackOff } from "../lib/back_off.ts";
import { describeCause, errorCode } from "../lib/errors.ts";
import { type Address, type DatagramSocket, type Endpoint, LARGEST_MESSAGE } from "../lib/transport/mod.ts";
import type { Drainable } from "./drain.ts";
import type { Subscribers } from "./events.ts";
import type { DatagramGuard, DatagramRefusal } from "./guard/datagram_guard.ts";
import type { Service } from "./services/service.ts";

/** What serves the datagrams of an endpoint. */
export interface DatagramServerOptions {
  /** The endpoint, for events. */
  endpoint: Endpoint;
  /** What to do with a datagram. */
  service: Service;
  /** Which datagrams not to answer. */
  guard: DatagramGuard;
  /** Told of what happens. */
  subscribers: Subscribers;
  /** Told after each answer. */
  onAnswered?: () => void;
}

/** Serves the datagrams of an endpoint. */
export class DatagramServer implements Drainable {
  busy = false;
  /** Datagrams answered, and their bytes. */
  readonly answered: { messages: number; bytes: number } = { messages: 0, bytes: 0 };
  /** Datagrams that were not answered, by reason. */
  readonly refused: Map<DatagramRefusal, number> = new Map();
  #socket: DatagramSocket;
  #options: DatagramServerOptions;
  #closing = new AbortController();

  /**
   * @param socket The socket, which {@linkcode close} closes.
   * @param options How to serve it.
   */
  constructor(socket: DatagramSocket, options: DatagramServerOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Frees the socket. A send that waits is left to itself. */
  close(): void {
    if (this.closed) return;
    this.#closing.abort();
    this.#socket.close();
  }

  /** Receives and answers until it is closed. */
  async run(): Promise<void> {
    const { endpoint, service, guard, subscribers, onAnswered } = this.#options;
    const { signal } = this.#closing;
    const buffer = new Uint8Array(LARGEST_MESSAGE);
    const backOff = new BackOff(5, 1000);
    while (!signal.aborted) {
      let datagram: Uint8Array, peer: Address;
      try {
        [datagram, peer] = await this.#socket.receive(buffer);
      } catch (error) {
        if (signal.aborted) return;
        subscribers.tell({ type: "failed", endpoint, operation: "receive", cause: describeCause(error) });
        await backOff.wait(signal);
        continue;
      }
      backOff.reset();
      const refusal = guard.refuse(datagram, peer);
      if (refusal !== undefined) {
        this.#refuse(peer, refusal);
        continue;
      }
      this.busy = true;
      try {
        const answer = service.answer(datagram);
        if (answer !== undefined) await this.#socket.send(answer, peer);
      } catch (error) {
        if (signal.aborted) return;
        if (errorCode(error) === "EAGAIN") this.#refuse(peer, "peer does not read");
        else subscribers.tell({ type: "failed", endpoint, operation: "send", peer, cause: describeCause(error) });
        continue;
      } finally {
        this.busy = false;
      }
      if (signal.aborted) return;
      this.answered.messages++;
      this.answered.bytes += datagram.length;
      if (subscribers.wantsEchoed) {
        subscribers.tell({ type: "echoed", endpoint, connection: undefined, peer, message: datagram, offset: 0 });
      }
      onAnswered?.();
    }
  }

  #refuse(peer: Address, reason: DatagramRefusal): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    const { endpoint, subscribers } = this.#options;
    subscribers.tell({ type: "refused", endpoint, peer, reason });
  }
}
