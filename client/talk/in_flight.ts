/**
 * The bytes of a stream that are in flight: sent, and not come back yet.
 *
 * @module
 */

import { EchoError } from "../../lib/errors.ts";
import { firstDifference } from "./difference.ts";

/** How many bytes may be in flight, as each is kept. */
const LIMIT = 64 * 1024 * 1024;

/** The bytes in flight, kept to be compared with what comes back. */
export class InFlight {
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** How many bytes came back so far. */
  #returned = 0;
  #onRoom: (() => void) | undefined;

  /** Whether no more may be sent before something comes back. */
  get isFull(): boolean {
    return this.#size >= LIMIT;
  }

  /** Waits until more may be sent. */
  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.#onRoom = resolve);
  }

  /**
   * Adds what is being sent.
   *
   * @param chunk The bytes; they are kept.
   */
  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * Compares what came back with what was sent first of what is in flight.
   *
   * @param bytes What came back.
   * @throws {EchoError} If it is something else, or more than was sent.
   */
  compare(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) throw new EchoError(`more came back than was sent: byte ${this.#returned + 1}`);
      const part = bytes.subarray(done, done + chunk.length);
      const difference = firstDifference(chunk.subarray(0, part.length), part);
      if (difference >= 0) throw new EchoError(`what came back differs at byte ${this.#returned + difference + 1}`);
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
      done += part.length;
      this.#returned += part.length;
      this.#size -= part.length;
    }
    this.#onRoom?.();
  }
}
