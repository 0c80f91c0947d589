/**
 * Listening sockets: who waits is accepted.
 *
 * @module
 */

import { describeCause } from "../../lib/errors.ts";
import { getOption } from "../../lib/native/inet_socket.ts";
import { errnoCode, systemError } from "../../lib/native/libc.ts";
import { LINUX } from "../../lib/native/linux.ts";
import { SOCKADDR_IN6_BYTES } from "../../lib/native/sockaddr_in.ts";
import { TAG, type WorkerThread } from "./thread.ts";

/**
 * How many connections a listener may bring in a turn: as many as events, so that those that there are go on, and those that
 * wait to be accepted do not wait for turns.
 */
const MOST_ACCEPTS = 512;

/** How long to wait where accepting fails, in milliseconds: the first time, and the most. */
const PAUSE = { first: 5, most: 1000 };

/** How accepting fails where the client has gone meanwhile (accept(2)). */
const GONE = ["ECONNABORTED", "EINTR", "EPROTO", "ECONNRESET", "ENOTCONN"];

/** The value of an option that is switched on. */
const ON = new Int32Array([1]);

/** Begins to serve a connection: its descriptor, the number of its endpoint, the address of the client. */
export type Begin = (fd: number, endpoint: number, peer: Uint8Array) => void;

/** Accepts the connections of a worker. */
export class Listeners {
  #thread: WorkerThread;
  #begin: Begin;
  /** Those that pause, by the number of their endpoint. */
  #pausing = new Map<number, { until: number; next: number }>();
  #closed = false;
  #peer = new Uint8Array(new ArrayBuffer(SOCKADDR_IN6_BYTES));
  #peerLength = new Uint32Array(new ArrayBuffer(4));

  /**
   * @param thread What the rooms of the worker share.
   * @param begin Begins to serve a connection.
   */
  constructor(thread: WorkerThread, begin: Begin) {
    this.#thread = thread;
    this.#begin = begin;
    for (const [index, { fd, type }] of thread.endpoints.entries()) {
      if (type === "stream") thread.epoll.add(fd, LINUX.EPOLLIN, index << 2 | TAG.listener);
    }
  }

  /** When {@linkcode tick} is to be called next; `Infinity` where nothing is to be done. */
  get due(): number {
    let due = Infinity;
    if (!this.#closed) { for (const { until } of this.#pausing.values()) due = Math.min(due, until); }
    return due;
  }

  /** Does what is due. */
  tick(): void {
    if (this.#closed) return;
    const { now, epoll, endpoints } = this.#thread;
    for (const [index, pause] of this.#pausing) {
      if (pause.until > now) continue;
      pause.until = Infinity;
      epoll.change(endpoints[index]!.fd, LINUX.EPOLLIN, index << 2 | TAG.listener);
    }
  }

  /**
   * Accepts who waits.
   *
   * @param index The number of the endpoint.
   */
  accept(index: number): void {
    const { libc, once, shared } = this.#thread;
    const { fd: listener } = this.#thread.endpoints[index]!;
    const { accept4, setsockopt, close } = libc.symbols;
    for (let i = 0; i < MOST_ACCEPTS && !this.#closed; i++) {
      this.#peerLength[0] = SOCKADDR_IN6_BYTES;
      const fd = accept4(listener, this.#peer, this.#peerLength, LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC);
      if (fd < 0) {
        const errno = libc.errno();
        const code = errnoCode(errno);
        if (GONE.includes(code)) continue;
        if (code !== "EAGAIN") this.#pause(index, systemError("accept", errno));
        return;
      }
      this.#pausing.delete(index);
      // Linux also accepts a connection that was reset meanwhile, which is nobody's first conversation.
      const gone = once && getOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR) !== 0;
      if (gone || (once && !shared.claimFirst())) {
        close(fd);
        continue;
      }
      // Deno does not turn Nagle's algorithm off by itself, nor does Linux.
      setsockopt(fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, ON, 4);
      try {
        this.#begin(fd, index, this.#peer);
      } catch (error) {
        // As many may be waited for as /proc/sys/fs/epoll/max_user_watches says (epoll(7)).
        return this.#pause(index, error);
      }
      if (once) this.#thread.begin();
    }
  }

  /** Lets nobody in any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { libc, epoll, endpoints } = this.#thread;
    for (const { fd, type } of endpoints) {
      if (type !== "stream") continue;
      epoll.remove(fd);
      // Its descriptor is not ours to close. A listener that is shut down refuses who comes, and lets nobody wait.
      libc.symbols.shutdown(fd, LINUX.SHUT_RD);
    }
  }

  #pause(index: number, error: unknown): void {
    const { epoll, endpoints, outbox, now } = this.#thread;
    const pause = this.#pausing.get(index)?.next ?? PAUSE.first;
    this.#pausing.set(index, { until: now + pause, next: Math.min(pause * 2, PAUSE.most) });
    epoll.change(endpoints[index]!.fd, 0, index << 2 | TAG.listener);
    if (!outbox.wants("failed", now)) return;
    outbox.add({ type: "failed", endpoint: index, operation: "accept", cause: describeCause(error) }, now);
  }
}
