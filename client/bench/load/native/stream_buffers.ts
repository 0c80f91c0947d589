/**
 * Reading and writing of byte streams by their descriptors.
 *
 * @module
 */

import type { Libc } from "../../../../lib/native/libc.ts";
import { LONGEST_PIECE } from "../exchange/noise.ts";

/** `struct iovec { void *base; size_t len; }` of `linux/uio.h`, in words of 32 bits. */
const IOVEC_WORDS = 4;

/** The buffer that all streams of a thread are read into, and the noise that is written to them. */
export class StreamBuffers {
  /** What was read last. */
  readonly received: Uint8Array<ArrayBuffer> = new Uint8Array(LONGEST_PIECE);

  #readv: Libc["symbols"]["readv"];
  #writev: Libc["symbols"]["writev"];
  #noise: Uint8Array<ArrayBuffer>;
  #noiseAddress: number;
  #into = new Uint32Array(IOVEC_WORDS);
  #from = new Uint32Array(IOVEC_WORDS);

  /**
   * @param libc The C library, which must stay open as long as this is used.
   * @param noise The noise.
   */
  constructor(libc: Libc, noise: Uint8Array<ArrayBuffer>) {
    this.#readv = libc.symbols.readv;
    this.#writev = libc.symbols.writev;
    this.#noise = noise;
    this.#noiseAddress = addressOf(noise);
    setIovec(this.#into, addressOf(this.received), this.received.length);
  }

  /**
   * Reads what is there, without waiting.
   *
   * @param fd The descriptor.
   * @returns How many bytes were received; 0 at the end, -1 where there is nothing, or an error, which `errno()` tells.
   */
  read(fd: number): number {
    return this.#readv(fd, this.#into, 1);
  }

  /**
   * Writes noise, possibly less than all.
   *
   * @param fd The descriptor.
   * @param at Where in the noise it begins.
   * @param length How many bytes.
   * @returns How many bytes were written; -1 where none could be, for which `errno()` tells why.
   */
  write(fd: number, at: number, length: number): number {
    if (at + length > this.#noise.length) throw new RangeError("there is not so much noise");
    setIovec(this.#from, this.#noiseAddress + at, length);
    return this.#writev(fd, this.#from, 1);
  }
}

function setIovec(iovec: Uint32Array, address: number, length: number): void {
  iovec[0] = address;
  iovec[1] = address / 2 ** 32;
  iovec[2] = length;
}

/** An address of user space has at most 52 bits on x86-64 and ARM64 without further ado (47 and 48), so a number holds it. */
function addressOf(buffer: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}
