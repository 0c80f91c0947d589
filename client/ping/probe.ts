/**
 * What `meari ping` sends: a probe that its answer can be told by, and checked against.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";

/** A probe of at least this size carries a header: session id, sequence number, send time. */
export const HEADER_BYTES = 16;

/** Where a header has the send time. */
export const SEND_TIME_AT = 8;

/** What an answer turned out to be. */
export type Reading =
  /** A whole answer to the probe of this sequence number, sent at this time in nanoseconds. */
  | { kind: "whole"; sequence: number; sentAt: number }
  /** An answer to the probe of this sequence number, wrong from this byte (counted from 0) on. */
  | { kind: "damaged"; sequence: number; wrongAt: number }
  /** Nothing that this session sent. */
  | { kind: "foreign" };

/**
 * Makes and reads the probes of one session. All are of one size. The header is the session id (4 bytes), the sequence
 * number (4 bytes) and the send time in nanoseconds since the session began (8 bytes, an IEEE 754 double), in network
 * byte order; a pattern that depends on the sequence number fills the rest. Smaller probes are of a pattern alone, and
 * do not tell one from another.
 */
export class ProbeFormat {
  /** The size of each probe in bytes. */
  readonly size: number;
  /** Whether a probe carries a header, so that its answer tells which probe it is of. */
  readonly numbered: boolean;
  #session: number;
  #expected: Uint8Array;
  #view: DataView;
  /** The pattern from any of its 256 beginnings: a probe's is a part of it, which copies fast. */
  #pattern: Uint8Array;

  /**
   * @param size The size of each probe in bytes.
   * @param session The session id, 32 bits. Default: a random one.
   */
  constructor(size: number, session: number = crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.size = size;
    this.numbered = size >= HEADER_BYTES;
    this.#session = session;
    this.#expected = new Uint8Array(size);
    this.#view = new DataView(this.#expected.buffer);
    this.#pattern = new Uint8Array(size + 256).map((_, index) => index);
  }

  /**
   * Makes a probe.
   *
   * @param sequence Its sequence number, from 1 on.
   * @returns The probe, in a buffer of its own, still without its send time.
   */
  make(sequence: number): Uint8Array {
    this.#fill(sequence, 0);
    return this.#expected.slice();
  }

  /**
   * Writes its send time into a probe, the last thing before it goes out.
   *
   * @param probe What {@linkcode make} returned.
   * @param sentAt When it is sent, in nanoseconds since the session began.
   */
  stamp(probe: Uint8Array, sentAt: number): void {
    if (this.numbered) new DataView(probe.buffer).setFloat64(SEND_TIME_AT, sentAt);
  }

  /**
   * Reads an answer.
   *
   * @param answer A datagram, or as many bytes of a stream as a probe has.
   * @param lastSent The highest sequence number sent.
   * @returns What it is. A probe without a header is taken for the one of sequence number 0.
   */
  read(answer: Uint8Array, lastSent: number): Reading {
    if (!this.numbered) {
      this.#fill(0, 0);
      const wrongAt = this.#firstDifference(answer);
      return wrongAt < 0 ? { kind: "whole", sequence: 0, sentAt: 0 } : { kind: "damaged", sequence: 0, wrongAt };
    }
    if (answer.length < HEADER_BYTES) return { kind: "foreign" };
    const header = new DataView(answer.buffer, answer.byteOffset, HEADER_BYTES);
    const sequence = header.getUint32(4);
    const sentAt = header.getFloat64(SEND_TIME_AT);
    if (header.getUint32(0) !== this.#session || sequence < 1 || sequence > lastSent) return { kind: "foreign" };
    this.#fill(sequence, sentAt);
    const wrongAt = this.#firstDifference(answer);
    return wrongAt < 0 ? { kind: "whole", sequence, sentAt } : { kind: "damaged", sequence, wrongAt };
  }

  /**
   * Tells whether bytes begin as a probe of this session does, damaged or not.
   *
   * @param bytes Bytes of a stream.
   * @returns Whether they begin with the session id; always where probes have none.
   */
  isOurs(bytes: Uint8Array): boolean {
    return !this.numbered || new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === this.#session;
  }

  /**
   * Looks for the next probe of this session in bytes that do not begin with one.
   *
   * @param bytes Bytes of a stream.
   * @returns Where it may begin, or the number of bytes where there is none.
   */
  findNext(bytes: Uint8Array): number {
    const id = new Uint8Array(4);
    new DataView(id.buffer).setUint32(0, this.#session);
    for (let at = 1; at < bytes.length; at++) {
      let same = 0;
      while (same < 4 && at + same < bytes.length && bytes[at + same] === id[same]) same++;
      if (same === 4 || (same > 1 && at + same === bytes.length)) return at;
    }
    return bytes.length;
  }

  #fill(sequence: number, sentAt: number): void {
    const start = this.numbered ? sequence % 256 : 0;
    this.#expected.set(this.#pattern.subarray(start, start + this.size));
    if (!this.numbered) return;
    this.#view.setUint32(0, this.#session);
    this.#view.setUint32(4, sequence);
    this.#view.setFloat64(SEND_TIME_AT, sentAt);
  }

  #firstDifference(answer: Uint8Array): number {
    const expected = this.#expected;
    if (equals(answer, expected)) return -1;
    const at = answer.findIndex((byte, index) => byte !== expected[index]);
    return at < 0 ? answer.length : at;
  }
}
