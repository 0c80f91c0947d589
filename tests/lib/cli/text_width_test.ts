import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { padEnd, textWidth, truncate } from "../../../lib/cli/text_width.ts";

const anyText = fc.string({ unit: "binary" });

Deno.test("textWidth() counts the columns of a terminal when characters are wide, narrow or none", () => {
  const widths: [string, number][] = [
    ["", 0],
    ["echo", 4],
    ["메아리", 6],
    ["메아리".normalize("NFD"), 6],
    ["ＡＢ", 4],
    ["漢字かな", 8],
    ["é", 1],
    ["e\u0301", 1],
    ["👋", 2],
    ["👋🏽", 4],
    ["\u2764\ufe0f", 2],
    ["🇰🇷", 2],
    ["▁▂█░ …", 6],
    ["\u200b\x1b\n", 0],
    ["\ud83d", 1],
  ];
  for (const [text, width] of widths) assertEquals(textWidth(text), width, JSON.stringify(text));
});

Deno.test("textWidth() is the sum of its parts when texts are joined between characters", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom("a", "메", "👋", "é", "—", " ")), (parts) => {
    assertEquals(textWidth(parts.join("")), parts.reduce((sum, part) => sum + textWidth(part), 0));
  }));
});

Deno.test("padEnd() makes a text as wide as asked when it is narrower, and leaves it when it is wider", () => {
  assertEquals([padEnd("메", 4), padEnd("abc", 4), padEnd("메아리", 4)], ["메  ", "abc ", "메아리"]);
  fc.assert(fc.property(anyText, fc.nat(100), (text, columns) => {
    assertEquals(textWidth(padEnd(text, columns)), Math.max(columns, textWidth(text)));
  }));
});

Deno.test("truncate() returns the beginning and an ellipsis when a text is too wide, and never more than fits", () => {
  assertEquals([truncate("메아리", 6), truncate("메아리", 5), truncate("메아리", 4)], ["메아리", "메아…", "메…"]);
  assertEquals([truncate("abc", 1), truncate("abc", 0), truncate("", 0)], ["…", "", ""]);
  fc.assert(fc.property(anyText, fc.nat(40), (text, columns) => {
    const kept = truncate(text, columns);
    assertEquals(textWidth(kept) <= columns, true);
    assertEquals(kept === text || text.startsWith(kept.slice(0, -1)), true);
  }));
});
