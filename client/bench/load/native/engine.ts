/**
 * Links straight on the system calls of Linux, for TCP and UDP.
 *
 * @module
 */

import { DatagramBatch } from "../../../../lib/native/datagram_batch.ts";
import { growReceiveBuffer, openSocket } from "../../../../lib/native/inet_socket.ts";
import { whyNotNative } from "../../../../lib/native/layouts.ts";
import { succeeded } from "../../../../lib/native/libc.ts";
import { encodeSockaddr } from "../../../../lib/native/sockaddr_in.ts";
import { connectToHost, datagramAddressOf } from "../../../../lib/transport/host.ts";
import { type Endpoint, explained, type InetEndpoint, isNative, isStream } from "../../../../lib/transport/mod.ts";
import type { Link, LoadEngine, SharedLoad } from "../link.ts";
import type { Pacer } from "../pacer.ts";
import { connectTcp } from "./connect_tcp.ts";
import { type DatagramBuffers, NativeDatagramLink } from "./datagram_link.ts";
import { SocketLoop } from "./socket_loop.ts";
import { StreamBuffers } from "./stream_buffers.ts";
import { NativeStreamLink } from "./stream_link.ts";

/** The main file of its threads. */
const WORKER = new URL("../worker.ts", import.meta.url);

/** How many datagrams are received or sent at once. */
const BATCH = 64;

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
    const fd = await explained("send to", endpoint, async () => {
      return this.#connectUdp(await datagramAddressOf(host, bounds), port);
    }, bounds);
    this.#datagramBuffers ??= this.#makeDatagramBuffers(load.plan.size);
    return new NativeDatagramLink(loop, this.#datagramBuffers, fd, load, dueAt);
  }

  pace(pacer: Pacer): void {
    this.#loop.pacer = pacer;
  }

  close(): Promise<void> {
    return this.#loop.end();
  }

  /** A connected socket is told at once where nobody listens (connect(2)). */
  #connectUdp(hostname: string, port: number): number {
    const { libc } = this.#loop;
    const fd = openSocket(libc, "datagram", hostname);
    try {
      growReceiveBuffer(libc, fd, RECEIVE_BUFFER);
      const sockaddr = encodeSockaddr(libc, { hostname, port });
      succeeded(libc, "connect", libc.symbols.connect(fd, sockaddr, sockaddr.length));
      return fd;
    } catch (error) {
      this.#loop.close(fd);
      throw error;
    }
  }

  #makeDatagramBuffers(size: number): DatagramBuffers {
    const { libc } = this.#loop;
    const received = new DatagramBatch(libc, { capacity: BATCH, payload: size + 1, named: false });
    const sent = new DatagramBatch(libc, { capacity: BATCH, payload: Math.max(1, size), named: false });
    for (let i = 0; i < BATCH; i++) sent.setLength(i, size);
    return { received, sent };
  }
}
