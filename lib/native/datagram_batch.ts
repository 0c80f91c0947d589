/**
 * Many datagrams at a time, with recvmmsg(2) and sendmmsg(2).
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { LINUX } from "./linux.ts";
import { SOCKADDR_IN6_BYTES } from "./sockaddr_in.ts";

/**
 * `struct mmsghdr { struct msghdr { void *name; socklen_t namelen; struct iovec *iov; size_t iovlen; void *control; size_t
 * controllen; int flags; } hdr; unsigned len; }` of recvmmsg(2) on a system of 64 bits, in words of 32: how many it has, and
 * where its fields are. The upper halves of the lengths stay 0.
 */
const HEADER = {
  words: 16,
  name: 0,
  nameLength: 2,
  iov: 4,
  iovLength: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
};

/** `struct iovec { void *base; size_t len; }` of `linux/uio.h`, in words of 32 bits. */
const IOVEC = { words: 4, base: 0, length: 2 };

/** `struct cmsghdr { size_t len; int level; int type; }` of `linux/socket.h`, in bytes, with its data behind, aligned to 8. */
const CONTROL = { bytes: 16, level: 8, type: 12 };

/** Where a name of the batch begins after the one before. */
export const NAME_STRIDE = 32;

/** What a batch has room for. */
export interface DatagramBatchOptions {
  /** How many datagrams. */
  capacity: number;
  /** How many bytes of each; what is longer is cut off. */
  payload: number;
  /** Whether each has the address of its peer: not on a connected socket. Default: `true`. */
  named?: boolean;
  /** How many bytes of control messages each has, a multiple of 8. Default: 0. */
  control?: number;
}

/** Datagrams that are received or sent at once. What was received can be sent back as it is. */
export class DatagramBatch {
  /** How many there can be. */
  readonly capacity: number;
  /** What they carry: that of the nth begins at n times {@linkcode payload}. */
  readonly payloads: Uint8Array<ArrayBuffer>;
  /** How many bytes each may carry. */
  readonly payload: number;
  /** The addresses of their peers: that of the nth begins at n times {@linkcode NAME_STRIDE}. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** Their control messages: those of the nth begin at n times {@linkcode control}. */
  readonly controls: Uint8Array<ArrayBuffer>;
  /** How many bytes the control messages of each may have. */
  readonly control: number;

  #libc: Libc;
  #headers: Uint32Array<ArrayBuffer>;
  #iovecs: Uint32Array<ArrayBuffer>;
  #nameLength: number;
  #view: DataView;

  /**
   * @param libc The C library, which must stay open as long as this is used.
   * @param options What there is room for.
   */
  constructor(libc: Libc, { capacity, payload, named = true, control = 0 }: DatagramBatchOptions) {
    this.#libc = libc;
    this.capacity = capacity;
    this.payload = payload;
    this.control = control;
    this.payloads = new Uint8Array(new ArrayBuffer(capacity * payload));
    this.names = new Uint8Array(new ArrayBuffer(capacity * NAME_STRIDE));
    this.controls = new Uint8Array(new ArrayBuffer(Math.max(8, capacity * control)));
    this.#nameLength = named ? SOCKADDR_IN6_BYTES : 0;
    this.#view = new DataView(this.controls.buffer);
    this.#headers = new Uint32Array(new ArrayBuffer(capacity * HEADER.words * 4));
    this.#iovecs = new Uint32Array(new ArrayBuffer(capacity * IOVEC.words * 4));
    // The pointers are written once: the buffers live as long as this, and do not move.
    const headers = new BigUint64Array(this.#headers.buffer);
    const iovecs = new BigUint64Array(this.#iovecs.buffer);
    const [names, payloads, controls, vectors] = [this.names, this.payloads, this.controls, this.#iovecs].map(
      addressOf,
    );
    for (let i = 0; i < capacity; i++) {
      const header = i * HEADER.words / 2;
      if (named) headers[header + HEADER.name / 2] = names! + BigInt(i * NAME_STRIDE);
      headers[header + HEADER.iov / 2] = vectors! + BigInt(i * IOVEC.words * 4);
      headers[header + HEADER.iovLength / 2] = 1n;
      if (control > 0) headers[header + HEADER.control / 2] = controls! + BigInt(i * control);
      iovecs[(i * IOVEC.words + IOVEC.base) / 2] = payloads! + BigInt(i * payload);
      this.#reset(i);
    }
    this.#dirty = 0;
  }

  /** How many from the first on were used since they were prepared for receiving. */
  #dirty: number;

  /**
   * Receives what is there, without waiting.
   *
   * @param fd The socket's descriptor.
   * @param flags Flags of recvmsg(2) besides, such as `MSG_ERRQUEUE`.
   * @returns How many datagrams; -1 where there is none, or an error, which `errno()` tells.
   */
  receive(fd: number, flags = 0): number {
    for (let i = 0; i < this.#dirty; i++) this.#reset(i);
    const { recvmmsg } = this.#libc.symbols;
    const count = recvmmsg(fd, this.#headers, this.capacity, LINUX.MSG_DONTWAIT | flags, null);
    this.#dirty = Math.max(count, 0);
    return count;
  }

  /**
   * Sends datagrams to whom they came from, or whose address stands there, without waiting.
   *
   * @param fd The socket's descriptor.
   * @param from The first of them.
   * @param to The one behind the last.
   * @returns How many of them were sent, from the first on; -1 where not even that one was, for which `errno()` tells why.
   */
  send(fd: number, from: number, to: number): number {
    const { sendmmsg } = this.#libc.symbols;
    const headers = from === 0 ? this.#headers : this.#headers.subarray(from * HEADER.words);
    return sendmmsg(fd, headers, to - from, LINUX.MSG_DONTWAIT | LINUX.MSG_NOSIGNAL);
  }

  /**
   * Tells how long a datagram is.
   *
   * @param index Which.
   * @returns Its length in bytes.
   */
  length(index: number): number {
    return this.#headers[index * HEADER.words + HEADER.length]!;
  }

  /**
   * Sets how long a datagram is that is to be sent. To be called also for one that was received.
   *
   * @param index Which.
   * @param length Its length in bytes.
   */
  setLength(index: number, length: number): void {
    this.#iovecs[index * IOVEC.words + IOVEC.length] = length;
    if (this.#dirty <= index) this.#dirty = index + 1;
  }

  /**
   * Sets how long the address is that a datagram is to be sent to.
   *
   * @param index Which.
   * @param length Its length in bytes.
   */
  setNameLength(index: number, length: number): void {
    this.#headers[index * HEADER.words + HEADER.nameLength] = length;
    if (this.#dirty <= index) this.#dirty = index + 1;
  }

  /**
   * Sets how many bytes of control messages go with a datagram that is to be sent.
   *
   * @param index Which.
   * @param length How many; those that came with one that was received, unless set.
   */
  setControlLength(index: number, length: number): void {
    this.#headers[index * HEADER.words + HEADER.controlLength] = length;
    if (this.#dirty <= index) this.#dirty = index + 1;
  }

  /**
   * Tells what the kernel said of a datagram that was received.
   *
   * @param index Which.
   * @returns `MSG_TRUNC`, `MSG_CTRUNC` and others, put together.
   */
  flags(index: number): number {
    return this.#headers[index * HEADER.words + HEADER.flags]!;
  }

  /**
   * Finds a control message that came with a datagram.
   *
   * @param index Which datagram.
   * @param level The level of the option that asks for it.
   * @param type Its type.
   * @returns Where in {@linkcode controls} its data begin; -1 where there is none.
   */
  findControl(index: number, level: number, type: number): number {
    const view = this.#view;
    const end = index * this.control + this.#headers[index * HEADER.words + HEADER.controlLength]!;
    for (let at = index * this.control; at + CONTROL.bytes <= end;) {
      if (view.getInt32(at + CONTROL.level, true) === level && view.getInt32(at + CONTROL.type, true) === type) {
        return at + CONTROL.bytes;
      }
      at += (view.getUint32(at, true) + 7) & ~7;
    }
    return -1;
  }

  /** Prepares one for receiving: the kernel has put other lengths in place of what there is room for. */
  #reset(index: number): void {
    const headers = this.#headers, header = index * HEADER.words;
    headers[header + HEADER.nameLength] = this.#nameLength;
    headers[header + HEADER.controlLength] = this.control;
    headers[header + HEADER.flags] = 0;
    this.#iovecs[index * IOVEC.words + IOVEC.length] = this.payload;
  }
}

function addressOf(buffer: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}
