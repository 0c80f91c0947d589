/**
 * What `meari ping` sends: a probe that its answer can be told by, and checked against.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";

/** A probe of at least this size carries a header: session id, sequence number, send time. */
export const HEADER_BYTES = 16;

/** Where a header has the sequence number. */
const SEQUENCE_AT = 4;

/** Where a header has the send time. */
export const SEND_TIME_AT = 8;

/**
 * From one byte of the pattern to the next. It is odd, so that 256 bytes on end hold every value once; and a few dozen of
 * them are spread so evenly (no gap wider than 7 in 48) that each probe of 64 bytes has letters, digits, control
 * characters and bytes past 127: no peer that treats bytes as text of some kind leaves it as it is.
 */
const STEP = 157;

/**
 * Makes and reads the probes of one session. All are of one size. The header is the session id (4 bytes), the sequence
 * number (4 bytes) and the send time in nanoseconds since the session began (8 bytes, an IEEE 754 double), in network
 * byte order; a part of the pattern fills the rest, the next one for each probe, so that few probes on end hold all byte
 * values. Smaller probes are of the pattern alone, which tells 256 of them apart; empty ones are all the same.
 */
export class ProbeFormat {
  /** The size of each probe in bytes. */
  readonly size: number;
  /** The session id. */
  readonly id: string;
  /** Whether a probe carries a header, so that its answer tells which probe it is of. */
  readonly numbered: boolean;
  /** How many probes without a header can be told apart. */
  readonly period: number;
  #id: Uint8Array;
  #pattern: Uint8Array;
  #advance: number;
  /** Which probe without a header, modulo 256, begins with a byte. */
  #remainders = new Uint8Array(256);
  #expected: Uint8Array<ArrayBuffer>;
  #view: DataView;

  /**
   * @param size The size of each probe in bytes.
   * @param id The session id, four characters. Default: random digits and marks, which have neither case nor an eighth
   * bit: what a peer sends back that takes bytes for text can still be told to be of this session, and damaged.
   */
  constructor(size: number, id: string = randomId()) {
    this.size = size;
    this.id = id;
    this.numbered = size >= HEADER_BYTES;
    this.period = size === 0 ? 1 : 256;
    this.#id = new TextEncoder().encode(id);
    this.#pattern = new Uint8Array(size + 256).map((_, index) => index * STEP);
    // Odd, so that the parts of 256 probes on end all differ; no further than one is long, so that nothing is left out.
    this.#advance = Math.max(0, this.#filler - 1) | 1;
    for (let remainder = 0; remainder < 256; remainder++) {
      this.#remainders[this.#pattern[this.#startOf(remainder)]!] = remainder;
    }
    this.#expected = new Uint8Array(size);
    this.#view = new DataView(this.#expected.buffer);
  }

  /**
   * Makes a probe.
   *
   * @param sequence Its sequence number, from 1 on.
   * @returns The probe, in a buffer of its own, still without its send time.
   */
  make(sequence: number): Uint8Array<ArrayBuffer> {
    this.#expect(sequence, 0);
    return this.#expected.slice();
  }

  /**
   * Writes its send time into a probe, the last thing before it goes out.
   *
   * @param probe What {@linkcode make} returned.
   * @param sentAt When it is sent, in nanoseconds since the session began.
   */
  stamp(probe: Uint8Array, sentAt: number): void {
    if (this.numbered) viewOf(probe).setFloat64(SEND_TIME_AT, sentAt);
  }

  /**
   * Reads which probe an answer is of.
   *
   * @param answer An answer to a probe with a header, damaged or not.
   * @returns The sequence number that it bears, whatever was sent; `undefined` where it is not of this session.
   */
  sequenceOf(answer: Uint8Array): number | undefined {
    if (answer.length < SEND_TIME_AT || !this.isOurs(answer)) return undefined;
    return viewOf(answer).getUint32(SEQUENCE_AT);
  }

  /**
   * Reads when the probe was sent that an answer is of.
   *
   * @param answer An answer to a probe with a header.
   * @returns Nanoseconds since the session began; `NaN` where the answer ends before.
   */
  sentAtOf(answer: Uint8Array): number {
    return answer.length < HEADER_BYTES ? NaN : viewOf(answer).getFloat64(SEND_TIME_AT);
  }

  /**
   * Reads as much of a sequence number as a probe without a header tells.
   *
   * @param answer An answer to such a probe.
   * @returns The sequence number modulo {@linkcode period}; `undefined` where no probe is like that.
   */
  remainderOf(answer: Uint8Array): number | undefined {
    if (answer.length !== this.size) return undefined;
    const remainder = this.size === 0 ? 0 : this.#remainders[answer[0]!]!;
    return equals(answer, this.#fillerOf(remainder)) ? remainder : undefined;
  }

  /**
   * Compares an answer with what was sent.
   *
   * @param answer The answer.
   * @param sequence The sequence number of the probe.
   * @param sentAt When the probe was sent, in nanoseconds since the session began.
   * @returns The first byte that differs, or is missing or too much, counted from 0; `undefined` where all is as it was.
   */
  firstDifference(answer: Uint8Array, sequence: number, sentAt: number): number | undefined {
    this.#expect(sequence, sentAt);
    const expected = this.#expected;
    if (equals(answer, expected)) return undefined;
    const at = answer.findIndex((byte, index) => byte !== expected[index]);
    return at < 0 ? answer.length : at;
  }

  /**
   * Tells whether bytes begin as a probe of this session does, damaged or not.
   *
   * @param bytes Bytes of a stream.
   * @returns Whether they begin with the session id; always where probes have none.
   */
  isOurs(bytes: Uint8Array): boolean {
    return !this.numbered || this.#id.every((byte, index) => byte === bytes[index]);
  }

  /**
   * Looks for the next probe of this session in bytes that do not begin with one.
   *
   * @param bytes Bytes of a stream.
   * @returns Where it may begin, or the number of bytes where there is none.
   */
  findNext(bytes: Uint8Array): number {
    const id = this.#id;
    for (let at = 1; at < bytes.length; at++) {
      let same = 0;
      while (same < id.length && at + same < bytes.length && bytes[at + same] === id[same]) same++;
      if (same === id.length || (same > 1 && at + same === bytes.length)) return at;
    }
    return bytes.length;
  }

  /** How many bytes of a probe are of the pattern. */
  get #filler(): number {
    return this.numbered ? this.size - HEADER_BYTES : this.size;
  }

  #startOf(sequence: number): number {
    return (sequence % 256) * (this.#advance % 256) % 256;
  }

  #fillerOf(sequence: number): Uint8Array {
    const start = this.#startOf(sequence);
    return this.#pattern.subarray(start, start + this.#filler);
  }

  #expect(sequence: number, sentAt: number): void {
    this.#expected.set(this.#fillerOf(sequence), this.size - this.#filler);
    if (!this.numbered) return;
    this.#expected.set(this.#id);
    this.#view.setUint32(SEQUENCE_AT, sequence);
    this.#view.setFloat64(SEND_TIME_AT, sentAt);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function randomId(): string {
  return String.fromCharCode(...crypto.getRandomValues(new Uint8Array(4)).map((byte) => 0x21 + byte % 31));
}
