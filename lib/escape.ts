/**
 * Text from the network, made safe to show on a terminal.
 *
 * @module
 */

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Escapes what a terminal would act on or hide: C0 and C1 control characters, DEL, line and paragraph separators, and
 * the characters that override the direction of text.
 *
 * @param text Any text.
 * @returns The text with such characters written as `\n`, `\x1b` or `\u202e`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(escapeControls("a\x1b[31m\n메아리"), "a\\x1b[31m\\n메아리");
 * ```
 */
export function escapeControls(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => {
      const code = char.charCodeAt(0);
      return NAMED[char] ??
        (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`);
    },
  );
}
