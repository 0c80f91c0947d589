/**
 * Cuts a stream into answers.
 *
 * @module
 */

import type { ProbeFormat } from "../probe.ts";

/** How many bytes of a stream are read at once, at least. */
const READ_BUFFER = 64 * 1024;

/** Cuts what a stream brings into answers. */
export class AnswerCutter {
  /** How many bytes have come. */
  received = 0;
  #format: ProbeFormat;
  #onAnswer: (answer: Uint8Array) => void;
  #buffer: Uint8Array<ArrayBuffer>;
  /** How many bytes, at the front, belong to an answer that is not yet whole. */
  #held = 0;

  /**
   * @param format The session's probes.
   * @param onAnswer Told of each answer at once; its bytes are valid only during the call.
   */
  constructor(format: ProbeFormat, onAnswer: (answer: Uint8Array) => void) {
    this.#format = format;
    this.#onAnswer = onAnswer;
    this.#buffer = new Uint8Array(new ArrayBuffer(Math.max(READ_BUFFER, 2 * format.size)));
  }

  /** Where the next bytes are to be read to. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#held);
  }

  /**
   * Takes bytes that were read into {@linkcode room}.
   *
   * @param length How many.
   */
  take(length: number): void {
    const { size } = this.#format;
    this.received += length;
    const bytes = this.#buffer.subarray(0, this.#held + length);
    let at = 0;
    while (bytes.length - at >= size) {
      const answer = bytes.subarray(at, at + size);
      // Where bytes were lost on the way, the next probe begins within what should be this one.
      const length = this.#format.isOurs(answer) ? size : this.#format.findNext(answer);
      this.#onAnswer(answer.subarray(0, length));
      at += length;
    }
    bytes.copyWithin(0, at);
    this.#held = bytes.length - at;
  }
}
