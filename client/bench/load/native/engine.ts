/**
 * Links straight on the system calls of Linux, for TCP and UDP.
 *
 * @module
 */

import { growReceiveBuffer, openSocket } from "../../../../lib/native/inet_socket.ts";
import { whyNotNative } from "../../../../lib/native/layouts.ts";
import { succeeded } from "../../../../lib/native/libc.ts";
import { encodeSockaddr } from "../../../../lib/native/sockaddr_in.ts";
import { connectToHost, datagramAddressOf } from "../../../../lib/transport/host.ts";
import { type Endpoint, explained, type InetEndpoint, isNative, isStream } from "../../../../lib/transport/mod.ts";
import { anyAddress } from "../../../../lib/transport/udp.ts";
import type { Link, LoadEngine, SharedLoad } from "../link.ts";
import type { Pacer } from "../pacer.ts";
import { connectTcp } from "./connect_tcp.ts";
import { type DatagramBuffers, makeDatagramBuffers } from "./datagram_buffers.ts";
import { askForErrors, NativeDatagramLink } from "./datagram_link.ts";
import { SocketLoop } from "./socket_loop.ts";
import { StreamBuffers } from "./stream_buffers.ts";
import { NativeStreamLink } from "./stream_link.ts";

/** The main file of its threads. */
const WORKER = new URL("../worker.ts", import.meta.url);

/** How large a receive buffer is asked for, in bytes, so that answers have room while others are read or sent. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;

/**
 * Tells whether links to an endpoint can be native.
 *
 * @param endpoint The endpoint.
 * @returns Whether they can.
 */
export function canBeNative(endpoint: Endpoint): boolean {
  return isNative(endpoint) && whyNotNative(WORKER) === undefined;
}

/** Opens links on the system calls. It takes all of its thread, which must be a worker. */
export class NativeEngine implements LoadEngine {
  #loop: SocketLoop;
  #streamBuffers: StreamBuffers | undefined;
  #datagramBuffers: DatagramBuffers | undefined;

  /** @param period How often a timer of this thread goes off at the most, in milliseconds. */
  constructor(period: number) {
    this.#loop = new SocketLoop(period);
  }

  get idle(): number {
    return this.#loop.idle;
  }

  async open(load: SharedLoad, dueAt: (index: number) => number): Promise<Link> {
    const { plan: { endpoint, timeout }, schedule } = load;
    const bounds = { timeout, signal: schedule.over };
    const loop = this.#loop, { libc } = loop;
    const { host, port } = endpoint as InetEndpoint;
    if (isStream(endpoint)) {
      const connect = (hostname: string, signal: AbortSignal) => connectTcp(loop, { hostname, port }, signal);
      const { fd } = await explained("connect to", endpoint, () => connectToHost(host, bounds, connect), bounds);
      this.#streamBuffers ??= new StreamBuffers(libc, load.noise);
      return new NativeStreamLink(loop, this.#streamBuffers, fd, load, dueAt);
    }
    const [fd, hostname] = await explained("send to", endpoint, async () => {
      const hostname = await datagramAddressOf(host, bounds);
      return [this.#openUdp(hostname), hostname] as const;
    }, bounds);
    this.#datagramBuffers ??= makeDatagramBuffers(libc, load.plan.size, encodeSockaddr(libc, { hostname, port }));
    return new NativeDatagramLink(loop, this.#datagramBuffers, fd, load, dueAt);
  }

  pace(pacer: Pacer): void {
    this.#loop.pacer = pacer;
  }

  close(): Promise<void> {
    return this.#loop.end();
  }

  #openUdp(hostname: string): number {
    const { libc } = this.#loop;
    const local = encodeSockaddr(libc, { hostname: anyAddress(hostname), port: 0 });
    const fd = openSocket(libc, "datagram", hostname);
    try {
      growReceiveBuffer(libc, fd, RECEIVE_BUFFER);
      askForErrors(libc, fd, local, true);
      succeeded(libc, "bind", libc.symbols.bind(fd, local, local.length));
      return fd;
    } catch (error) {
      this.#loop.close(fd);
      throw error;
    }
  }
}
