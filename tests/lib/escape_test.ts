import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { escapeControls } from "../../lib/escape.ts";

/** Controls, separators, direction overrides and the byte order mark, by their Unicode properties. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/u;

Deno.test("escapeControls() leaves nothing that a terminal acts on when the text is any", () => {
  const controls = fc.integer({ min: 0, max: 0x20 }).map((code) => String.fromCodePoint(code));
  const text = fc.array(fc.oneof(fc.string({ unit: "binary" }), controls)).map((parts) => parts.join(""));
  fc.assert(fc.property(text, (text) => assertEquals(UNSAFE.exec(escapeControls(text)), null)));
});

Deno.test("escapeControls() changes nothing when there is nothing to escape", () => {
  const safe = fc.string({ unit: "binary" }).filter((text) => !UNSAFE.test(text));
  fc.assert(fc.property(safe, (text) => assertEquals(escapeControls(text), text)));
});

Deno.test("escapeControls() names every control character so that it can be told when it is escaped", () => {
  const unsafe = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((c) => UNSAFE.test(c));
  const escaped = unsafe.map(escapeControls);
  for (const text of escaped) assertMatch(text, /^\\([nrt]|x[0-9a-f]{2}|u[0-9a-f]{4})$/);
  assertEquals(new Set(escaped).size, unsafe.length);
});

Deno.test("escapeControls() writes the forms that people know when the characters are common", () => {
  assertEquals(
    escapeControls("a\r\n\tb\0\x1b[2J\x7f\x9b\u202e메아리"),
    "a\\r\\n\\tb\\x00\\x1b[2J\\x7f\\x9b\\u202e메아리",
  );
});
