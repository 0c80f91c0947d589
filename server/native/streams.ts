/**
 * Connections: echoed and ended, with the calls of the system.
 *
 * @module
 */

import type { Ending } from "../../lib/cli/messages.ts";
import { errnoCode } from "../../lib/native/libc.ts";
import { LINUX } from "../../lib/native/linux.ts";
import { decodeSockaddr, SOCKADDR_IN6_BYTES } from "../../lib/native/sockaddr_in.ts";
import type { InetAddress } from "../../lib/transport/mod.ts";
import { isQuit } from "../../lib/quit.ts";
import { QuietWatch } from "../drain.ts";
import { QUIT_LINGER } from "../services/echo.ts";
import { Connections, STATE } from "./connections.ts";
import { COUNTED } from "./shared_counters.ts";
import { TAG, type WorkerThread } from "./thread.ts";

/** How many bytes one read takes at the most: all connections share one buffer, so that an idle one needs none. */
const BUFFER = 256 * 1024;
const BUFFER_BYTES = BigInt(BUFFER);

/** How a connection breaks, by itself or on the way (recv(2), send(2), tcp(7)). */
const BROKEN = [
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTCONN",
  "EPIPE",
  "ETIMEDOUT",
];

/** What a client has not taken yet: the message is the first part of the buffer. */
interface Unwritten {
  buffer: Uint8Array<ArrayBuffer>;
  length: number;
  written: number;
}

/** From how many bytes on a message is left in the buffer where it was read, and the next ones get another. */
const LARGE = 128 * 1024;

/** How many buffers are kept for that. */
const MOST_SPARE = 8;

/** Something that is to be done at a time. */
interface Timer {
  at: number;
  fd: number;
  generation: number;
}

/** Serves the connections of a worker. */
export class Streams {
  #thread: WorkerThread;
  #connections = new Connections();
  #open = 0;
  #buffer = new Uint8Array(new ArrayBuffer(BUFFER));
  #spare: Uint8Array<ArrayBuffer>[] = [];
  #unwritten = new Map<number, Unwritten>();
  /** Connections that linger after `quit`, the first one first. */
  #lingering: Timer[] = [];
  #quiet: QuietWatch<number> | undefined;
  #recv: WorkerThread["libc"]["symbols"]["recv"];
  #send: WorkerThread["libc"]["symbols"]["send"];

  /** @param thread What the rooms of the worker share. */
  constructor(thread: WorkerThread) {
    this.#thread = thread;
    ({ recv: this.#recv, send: this.#send } = thread.libc.symbols);
  }

  /** How many connections are open. */
  get open(): number {
    return this.#open;
  }

  /** When {@linkcode tick} is to be called next; `Infinity` where nothing is to be done. */
  get due(): number {
    return this.#lingering[0]?.at ?? Infinity;
  }

  /** Does what is due. */
  tick(): void {
    const { now } = this.#thread;
    while (this.#lingering.length > 0 && this.#lingering[0]!.at <= now) {
      const { fd, generation } = this.#lingering.shift()!;
      if (this.#connections.generation[fd] === generation) this.#end(fd, "quit");
    }
  }

  /**
   * Begins to serve a connection.
   *
   * @param fd Its descriptor, which is closed at its end.
   * @param endpoint The number of its endpoint.
   * @param peer The address of the client.
   * @throws The system's error where it cannot be waited for; it is closed then.
   */
  begin(fd: number, endpoint: number, peer: Uint8Array): void {
    const { libc, row, shared, outbox, epoll, now } = this.#thread;
    const number = shared.nextConnection();
    this.#connections.begin(fd, endpoint, number, peer, now);
    try {
      epoll.add(fd, LINUX.EPOLLIN, this.#tagOf(fd));
    } catch (error) {
      this.#connections.finish(fd);
      libc.symbols.close(fd);
      throw error;
    }
    this.#open++;
    row[COUNTED.connections]!++;
    row[COUNTED.open] = this.#open;
    if (outbox.wants("connected", now)) {
      outbox.add({ type: "connected", endpoint, connection: number, peer: this.#peerOf(fd) }, now);
    }
  }

  /**
   * Serves a connection of which something is told.
   *
   * @param fd Its descriptor.
   * @param tag The tag of the event.
   * @param happened What has happened.
   */
  serve(fd: number, tag: number, happened: number): void {
    const state = this.#connections.state[fd]!;
    if (state === STATE.free || tag !== this.#tagOf(fd)) return;
    if (state === STATE.reading) this.#read(fd, happened);
    else if (state === STATE.writing) this.#write(fd, happened);
    else this.#discard(fd, happened);
  }

  /** Ends the connections on which nothing happens; to be called again and again where the server stops. */
  drain(): void {
    this.#quiet ??= new QuietWatch();
    const { state, messages, limit } = this.#connections;
    for (let fd = 0; fd < limit; fd++) {
      if (state[fd] === STATE.free) continue;
      const busy = state[fd] === STATE.writing;
      if (this.#quiet.isQuiet(fd, busy, messages[fd])) this.#end(fd, "stopped");
    }
  }

  /** Ends all connections at once. */
  kill(): void {
    const { state, limit } = this.#connections;
    for (let fd = 0; fd < limit; fd++) {
      if (state[fd] !== STATE.free) this.#end(fd, state[fd] === STATE.writing ? "cut" : "stopped");
    }
  }

  #tagOf(fd: number): number {
    return (this.#connections.generation[fd]! << 2 | TAG.connection) >>> 0;
  }

  #read(fd: number, happened: number): void {
    const buffer = this.#buffer;
    const length = this.#recv(fd, buffer, BUFFER_BYTES, 0);
    if (length > 0) {
      const written = this.#send(fd, buffer, BigInt(length), LINUX.MSG_NOSIGNAL);
      if (written === length) this.#answered(fd, buffer, length);
      else if (written >= 0 || this.#isAgain(happened)) {
        this.#keep(fd, length, Math.max(written, 0));
        this.#connections.state[fd] = STATE.writing;
        this.#thread.epoll.change(fd, LINUX.EPOLLOUT, this.#tagOf(fd));
      } else this.#end(fd, "reset");
    } else if (length === 0) this.#end(fd, "closed");
    else if (!this.#isAgain(happened)) this.#end(fd, "reset");
  }

  #write(fd: number, happened: number): void {
    const unwritten = this.#unwritten.get(fd)!;
    const { buffer, length } = unwritten;
    const rest = buffer.subarray(unwritten.written, length);
    const written = this.#send(fd, rest, BigInt(rest.length), LINUX.MSG_NOSIGNAL);
    if (written < 0) {
      if (!this.#isAgain(happened)) this.#end(fd, "reset");
      return;
    }
    unwritten.written += written;
    if (unwritten.written < length) return;
    this.#connections.state[fd] = STATE.reading;
    this.#thread.epoll.change(fd, LINUX.EPOLLIN, this.#tagOf(fd));
    this.#answered(fd, buffer, length);
    this.#release(fd);
  }

  /** Keeps the message that was just read until the client takes the rest of it. */
  #keep(fd: number, length: number, written: number): void {
    let buffer = this.#buffer;
    if (length < LARGE) buffer = buffer.slice(0, length);
    else this.#buffer = this.#spare.pop() ?? new Uint8Array(new ArrayBuffer(BUFFER));
    this.#unwritten.set(fd, { buffer, length, written });
  }

  #release(fd: number): void {
    const buffer = this.#unwritten.get(fd)?.buffer;
    this.#unwritten.delete(fd);
    if (buffer?.length === BUFFER && this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }

  /** What comes after `quit` is of no account, but must be read, or closing would reset the connection. */
  #discard(fd: number, happened: number): void {
    const length = this.#recv(fd, this.#buffer, BUFFER_BYTES, 0);
    if (length > 0 || (length < 0 && this.#isAgain(happened))) return;
    this.#end(fd, "quit");
  }

  /**
   * Tells whether the call that has just failed has only to be made again later. The number of the error may be that of
   * another call, which the runtime has made meanwhile; where the event tells of no error either, epoll will.
   */
  #isAgain(happened: number): boolean {
    const code = errnoCode(this.#thread.libc.errno());
    if (code === "EAGAIN" || code === "EINTR") return true;
    return (happened & (LINUX.EPOLLERR | LINUX.EPOLLHUP)) === 0 && !BROKEN.includes(code);
  }

  #answered(fd: number, message: Uint8Array, length: number): void {
    const { row, outbox, now, endpoints } = this.#thread;
    const connections = this.#connections;
    const offset = connections.bytes[fd]!;
    connections.messages[fd]!++;
    connections.bytes[fd] = offset + length;
    row[COUNTED.messages]!++;
    row[COUNTED.bytes]! += length;
    const endpoint = connections.endpoint[fd]!;
    if (outbox.wants("echoed", now, length)) {
      connections.told[fd] = 1;
      outbox.add({
        type: "echoed",
        endpoint,
        connection: connections.number[fd]!,
        peer: this.#peerOf(fd),
        message: message.slice(0, length),
        offset,
      }, now);
    }
    if (length <= 6 && endpoints[endpoint]!.quit && isQuit(message.subarray(0, length))) this.#quit(fd, now);
  }

  /** Ends our half, then waits a little for the client to end its own: closing at once could lose the echo of its `quit`. */
  #quit(fd: number, now: number): void {
    this.#thread.libc.symbols.shutdown(fd, LINUX.SHUT_WR);
    this.#connections.state[fd] = STATE.lingering;
    this.#lingering.push({ at: now + QUIT_LINGER, fd, generation: this.#connections.generation[fd]! });
  }

  #end(fd: number, how: Ending): void {
    const { libc, row, outbox, now } = this.#thread;
    const connections = this.#connections;
    // Where something was not taken, closing would wait for it in the background.
    libc.symbols.close(fd);
    this.#release(fd);
    this.#open--;
    row[COUNTED.open] = this.#open;
    // Whoever was told of a message may keep something for its connection.
    if (connections.told[fd] === 1 || outbox.wants("disconnected", now)) {
      outbox.add({
        type: "disconnected",
        endpoint: connections.endpoint[fd]!,
        connection: connections.number[fd]!,
        peer: this.#peerOf(fd),
        how,
        messages: connections.messages[fd]!,
        bytes: connections.bytes[fd]!,
        duration: now - connections.startedAt[fd]!,
      }, now);
    }
    connections.finish(fd);
    if (this.#thread.once) this.#thread.end();
  }

  #peerOf(fd: number): InetAddress {
    const { libc } = this.#thread;
    return { transport: "tcp", ...decodeSockaddr(libc, this.#connections.peers, fd * SOCKADDR_IN6_BYTES) };
  }
}
