/**
 * Bytes as a hex dump.
 *
 * @module
 */

/**
 * Writes bytes sixteen to a line in the layout of `hexdump -C`: offset, hex, printable ASCII.
 *
 * @param bytes The bytes to show.
 * @returns Lines without a final line end; empty for no bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(
 *   hexdump(new TextEncoder().encode("quit\n")),
 *   "00000000  71 75 69 74 0a                                    |quit.|",
 * );
 * ```
 */
export function hexdump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = Array.from(bytes.subarray(offset, offset + 16));
    const hex = row.map((byte, i) => byte.toString(16).padStart(2, "0") + (i === 7 ? " " : "")).join(" ");
    const ascii = row.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".").join("");
    lines.push(`${offset.toString(16).padStart(8, "0")}  ${hex.padEnd(48)}  |${ascii}|`);
  }
  return lines.join("\n");
}
