/**
 * Text from outside, made safe to show on a terminal.
 *
 * @module
 */

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Controls (C0, DEL, C1), line and paragraph separators, lone surrogates, annotation marks, and what Unicode calls default
 * ignorable: bidi controls, zero-width and tag characters, fillers, the soft hyphen. Variation selectors stay: they only
 * choose how the character before them looks.
 */
const UNSAFE = /(?!\p{Variation_Selector})[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Escapes every character that a terminal acts on, that is not seen, or that changes how others are seen. That takes
 * emoji that are joined with U+200D apart, too: what is shown is then what is there.
 *
 * It is made for eyes. A backslash stays one, so that paths read as they are: the two characters `\n` in a text look as
 * its line feed does. What a program shall read back is written as JSON instead.
 *
 * @param text Any text.
 * @returns The text with such characters written as `\n`, `\x1b`, `\u202e` or `\u{e0041}`; on one line, and unchanged if it
 * is escaped again.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(escapeControls("a\x1b[31m\n메아리"), "a\\x1b[31m\\n메아리");
 * ```
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const hex = character.codePointAt(0)!.toString(16);
    if (hex.length <= 2) return NAMED[character] ?? `\\x${hex.padStart(2, "0")}`;
    return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
  });
}

/**
 * Escapes the same characters in JSON, so that they read back as they were.
 *
 * @param json A JSON text without white space between its tokens.
 * @returns The same value, with such characters written as `\u009b`, beyond U+FFFF as two of these (RFC 8259, 7).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(escapeJson(JSON.stringify("a\x9bm")), '"a\\u009bm"');
 * ```
 */
export function escapeJson(json: string): string {
  return json.replace(
    UNSAFE,
    (character) => character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}
