/**
 * The word that ends a conversation.
 *
 * @module
 */

const QUIT = [0x71, 0x75, 0x69, 0x74];

/**
 * Tells whether a message is `quit` alone: exactly `quit`, `quit\n` or `quit\r\n`.
 *
 * @param message What one read returned, or one datagram.
 * @returns Whether it ends the conversation.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * assertEquals(isQuit(bytes("quit\r\n")), true);
 * assertEquals(isQuit(bytes("quit please")), false);
 * ```
 */
export function isQuit(message: Uint8Array): boolean {
  const { length } = message;
  if (length < 4 || length > 6) return false;
  for (let i = 0; i < 4; i++) if (message[i] !== QUIT[i]) return false;
  return length === 4 || (length === 5 && message[4] === 0x0a) ||
    (length === 6 && message[4] === 0x0d && message[5] === 0x0a);
}
