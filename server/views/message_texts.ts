/**
 * The texts of messages, for the views that show them.
 *
 * @module
 */

import type { EchoedEvent } from "../events.ts";

/**
 * Decodes each connection as one stream of UTF-8, so that a character split between two reads comes out whole, with the
 * second of them. Where reads were left out in between, decoding starts anew.
 */
export class MessageTexts {
  #decoders = new Map<number, { decoder: TextDecoder; next: number }>();

  /**
   * Decodes the next message of a connection, or a datagram by itself.
   *
   * @param event The message was echoed.
   * @param bytes As much of the message as is wanted, from its beginning on.
   * @returns The text.
   */
  next(event: EchoedEvent, bytes: Uint8Array = event.message): string {
    if (event.connection === undefined) return newDecoder().decode(bytes);
    // What was cut off is not decoded either.
    const end = event.offset + bytes.length;
    let state = this.#decoders.get(event.connection);
    if (state === undefined || state.next !== event.offset) {
      state = { decoder: newDecoder(), next: 0 };
      this.#decoders.set(event.connection, state);
      if (event.offset > 0) bytes = wholeFromStart(bytes);
    }
    state.next = end;
    return state.decoder.decode(bytes, { stream: true });
  }

  /**
   * Forgets a connection that has ended.
   *
   * @param connection Its number.
   */
  forget(connection: number): void {
    this.#decoders.delete(connection);
  }
}

function newDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}

/** Leaves out the rest of a character that began before: at most three bytes, each 10xxxxxx (RFC 3629). */
function wholeFromStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}
