/**
 * A UDP peer that answers by a script: it drops, delays, repeats, swaps and damages datagrams.
 *
 * @module
 */

import type { InetEndpoint } from "../../lib/endpoint.ts";

/** What becomes of a datagram: `swap` holds it back until the next one was answered; a function makes the answers. */
export type Fault =
  | "echo"
  | "drop"
  | "twice"
  | "swap"
  | "damage"
  | "damage header"
  | { delay: number }
  | ((datagram: Uint8Array) => Uint8Array[]);

/** A running peer. */
export interface FaultyUdpPeer extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoint: InetEndpoint;
  /** How many datagrams came. */
  readonly received: number;
}

/**
 * Starts a peer.
 *
 * @param script What becomes of each datagram in turn; further ones are echoed.
 * @returns The peer.
 */
export function faultyUdpPeer(script: readonly Fault[]): FaultyUdpPeer {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let received = 0;
  const serve = async () => {
    let held: Uint8Array | undefined;
    for await (const [datagram, from] of socket) {
      const fault = script[received++] ?? "echo";
      const answer = datagram.slice();
      const send = (bytes: Uint8Array) => socket.send(bytes, from);
      if (fault === "drop") continue;
      if (fault === "swap") {
        held = answer;
        continue;
      }
      if (typeof fault === "function") {
        for (const each of fault(answer)) await send(each);
        continue;
      }
      if (typeof fault === "object") {
        const timer = setTimeout(() => {
          timers.delete(timer);
          send(answer);
        }, fault.delay);
        timers.add(timer);
        continue;
      }
      if (fault === "damage") answer[answer.length - 1]! ^= 0xff;
      if (fault === "damage header") answer[0]! ^= 0xff;
      await send(answer);
      if (fault === "twice") await send(answer);
      if (held) await send(held);
      held = undefined;
    }
  };
  const serving = serve();
  const { hostname, port } = socket.addr as Deno.NetAddr;
  return {
    endpoint: { transport: "udp", host: hostname, port },
    get received() {
      return received;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
      await serving;
    },
  };
}
