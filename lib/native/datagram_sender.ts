/**
 * Sends datagrams of a Unix socket that Deno has bound, without waiting.
 *
 * Deno's own `send` waits for ever for a peer that does not read, cannot be told to stop, and receives nothing meanwhile.
 * Another socket could not send in its place: a peer that is connected (connect(2)) takes datagrams of that one socket
 * only. So the socket's own descriptor is found, and used beside Deno.
 *
 * @module
 */

import { type Libc, openLibc, systemError } from "./libc.ts";
import { LINUX } from "./linux.ts";
import { SockaddrUn } from "./sockaddr_un.ts";

/** How many descriptors from the first free one on may be the socket's: Deno may open others at the same time. */
const CANDIDATES = 64;

/** Sends datagrams of a Unix socket that Deno has bound. */
export class DatagramSender {
  #libc: Libc;
  #fd: number;
  #to = new SockaddrUn();
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /**
   * Lets Deno bind a socket, and finds its descriptor.
   *
   * @param path The path that it is bound to.
   * @param bind Binds it.
   * @returns What was bound, and its sender where there can be one: on Linux, with the permission to use FFI.
   * @throws What `bind` throws.
   */
  static bind<T>(path: string, bind: () => T): { bound: T; sender?: DatagramSender } {
    const libc = openLibc();
    if (libc === undefined) return { bound: bind() };
    let bound: T;
    let fd: number | undefined;
    try {
      const candidates = nextDescriptors(libc);
      const before = candidates.filter((fd) => isBoundTo(libc, fd, path));
      bound = bind();
      fd = candidates.find((fd) => !before.includes(fd) && isBoundTo(libc, fd, path));
    } catch (error) {
      libc.close();
      throw error;
    }
    if (fd !== undefined) return { bound, sender: new DatagramSender(libc, fd) };
    libc.close();
    return { bound };
  }

  /**
   * Sends a datagram.
   *
   * @param bytes The datagram.
   * @param path The path of the peer's socket, or the name of an abstract one behind a zero byte.
   * @returns How many bytes were sent, or `undefined` where nothing can be sent to that peer now.
   * @throws An error with the system's code, such as `ECONNREFUSED`.
   */
  send(bytes: Uint8Array, path: string): number | undefined {
    this.#assertOpen();
    this.#to.path = path;
    const { bytes: to, length } = this.#to;
    // Deno's type asks for a buffer that no other thread shares.
    const buffer = bytes as Uint8Array<ArrayBuffer>;
    const sent = this.#libc.symbols.sendto(this.#fd, buffer, BigInt(bytes.length), LINUX.MSG_DONTWAIT, to, length[0]!);
    if (sent >= 0) return sent;
    const error = systemError("sendto", this.#libc.errno());
    if (error.code === "EAGAIN") return undefined;
    throw error;
  }

  /**
   * Tells whether what peers have not read takes all that may wait of this socket's, so that it can send to nobody.
   *
   * @returns Whether it is clogged.
   */
  isClogged(): boolean {
    this.#assertOpen();
    const { ioctl, getsockopt } = this.#libc.symbols;
    const [waiting, limit, size] = [new Int32Array(1), new Int32Array(1), new Uint32Array([4])];
    return ioctl(this.#fd, LINUX.TIOCOUTQ, waiting) === 0 &&
      getsockopt(this.#fd, LINUX.SOL_SOCKET, LINUX.SO_SNDBUF, limit, size) === 0 &&
      waiting[0]! >= limit[0]!;
  }

  /** Ends its use of the descriptor. To be called before Deno's socket is closed: the number may soon be another's. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Deno.errors.BadResource("the socket is closed");
  }
}

/** The descriptors that the system gives next: always the lowest that is free (POSIX.1-2017, System Interfaces, 2.14). */
function nextDescriptors(libc: Libc): number[] {
  const first = libc.symbols.dup(0);
  if (first < 0) return [];
  libc.symbols.close(first);
  return Array.from({ length: CANDIDATES }, (_, index) => first + index);
}

/** Tells whether a descriptor is that of a socket which is bound to a path, be it to its file or to one that is gone. */
function isBoundTo(libc: Libc, fd: number, path: string): boolean {
  const name = new SockaddrUn();
  name.length[0] = name.bytes.length;
  return libc.symbols.getsockname(fd, name.bytes, name.length) === 0 && name.path === path;
}
