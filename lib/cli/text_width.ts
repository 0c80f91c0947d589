/**
 * How wide text is on a terminal.
 *
 * @module
 */

import { eastAsianWidth } from "get-east-asian-width";

/** A character, or one that asks to be shown as an emoji (U+FE0F), which makes it two columns wide. */
const CHARACTER = /\p{Emoji}\ufe0f|./gsu;

/** What takes no column of its own: marks on the character before, controls, and the vowels and finals of Hangul jamo. */
const WIDTHLESS = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff]$/u;

/**
 * Counts the columns that a text takes on a terminal: two for a Korean syllable, an ideograph or an emoji. Where
 * terminals differ, as they do about emoji that are joined into one, it is the larger number.
 *
 * @param text The text, on one line.
 * @returns How many columns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(textWidth("echo: 메아리 👋"), 15);
 * ```
 */
export function textWidth(text: string): number {
  let width = 0;
  for (const [character] of text.matchAll(CHARACTER)) width += characterWidth(character);
  return width;
}

/**
 * Adds spaces to a text until it has a width; a wider one stays as it is.
 *
 * @param text The text, on one line.
 * @param columns The width.
 * @returns The text and the spaces.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(padEnd("서버", 6) + "|", "서버  |");
 * ```
 */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

/**
 * Cuts a text that is too wide, and puts `…` in place of the rest.
 *
 * @param text The text, on one line.
 * @param columns The most columns that it may take.
 * @returns The text, or as much of it as fits.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(truncate("메아리 서버", 8), "메아리 …");
 * ```
 */
export function truncate(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let [kept, width] = ["", 0];
  for (const [character] of text.matchAll(CHARACTER)) {
    width += characterWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns < 1 ? "" : `${kept}…`;
}

function characterWidth(character: string): number {
  if (character.length > 1 && character.endsWith("\ufe0f")) return 2;
  return WIDTHLESS.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!);
}
