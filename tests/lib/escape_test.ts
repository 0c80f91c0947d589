import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { escapeControls, escapeJson } from "../../lib/escape.ts";

/** First and last of each range of characters that never may reach a terminal, written down one by one. */
const FORBIDDEN: [name: string, first: number, last: number][] = [
  ["C0 controls", 0x00, 0x1f],
  ["DEL and C1 controls", 0x7f, 0x9f],
  ["soft hyphen", 0xad, 0xad],
  ["Arabic letter mark", 0x61c, 0x61c],
  ["Hangul jamo fillers", 0x115f, 0x1160],
  ["Mongolian vowel separator", 0x180e, 0x180e],
  ["zero-width characters and direction marks", 0x200b, 0x200f],
  ["line and paragraph separators, direction overrides", 0x2028, 0x202e],
  ["word joiner, invisible operators, isolates", 0x2060, 0x206f],
  ["Hangul filler", 0x3164, 0x3164],
  ["lone surrogates", 0xd800, 0xdfff],
  ["byte order mark", 0xfeff, 0xfeff],
  ["halfwidth Hangul filler", 0xffa0, 0xffa0],
  ["interlinear annotation", 0xfff9, 0xfffb],
  ["tag characters", 0xe0000, 0xe007f],
];

const forbidden = FORBIDDEN.flatMap(([, first, last]) =>
  Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i))
);

const anyText = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...forbidden)))
  .map((parts) => parts.join(""));

/** Tells whether a text holds one of them. */
function isUnsafe(text: string): boolean {
  return [...text].some((character) => {
    const code = character.codePointAt(0)!;
    return FORBIDDEN.some(([, first, last]) => first <= code && code <= last);
  });
}

for (const [name, first, last] of FORBIDDEN) {
  Deno.test(`escapeControls() escapes ${name}`, () => {
    for (let code = first; code <= last; code++) {
      const escaped = escapeControls(`a${String.fromCodePoint(code)}b`);
      assertMatch(escaped, /^a\\([nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|u\{[0-9a-f]{5}\})b$/);
    }
  });
}

Deno.test("escapeControls() leaves nothing that is acted on or hidden, in one line, when the text is any", () => {
  fc.assert(fc.property(anyText, (text) => assertEquals(isUnsafe(escapeControls(text)), false)));
});

Deno.test("escapeControls() changes nothing more when its result is escaped again", () => {
  fc.assert(fc.property(anyText, (text) => assertEquals(escapeControls(escapeControls(text)), escapeControls(text))));
});

Deno.test("escapeControls() keeps texts apart when they hold no backslash", () => {
  const plain = anyText.map((text) => text.replaceAll("\\", "/"));
  const read = (text: string) =>
    text.replace(
      /\\(?:([nrt])|x(..)|u(?:\{(.*?)\}|(....)))/g,
      (_, name, x, braced, u) =>
        name ? { n: "\n", r: "\r", t: "\t" }[name as "n"] : String.fromCodePoint(parseInt(x ?? braced ?? u, 16)),
    );
  fc.assert(fc.property(plain, (text) => assertEquals(read(escapeControls(text)), text)));
});

Deno.test("escapeControls() changes nothing when a text is seen as it is", () => {
  const texts = [
    "메아리 에코 서버",
    "e\u0301 naïve",
    "你好 こんにちは",
    "שלום مرحبا",
    "👋🏽 \u2764\ufe0f 🇰🇷",
    "C:\\new\\table",
    "\u00a0\u3000 ",
    "\ue000\ufffd",
  ];
  for (const text of texts) assertEquals(escapeControls(text), text);
});

Deno.test("escapeControls() writes the forms that people know when the characters are common", () => {
  assertEquals(
    escapeControls("a\r\n\tb\0\x1b[2J\x7f\x9b\u202e\u{e0041}메아리"),
    "a\\r\\n\\tb\\x00\\x1b[2J\\x7f\\x9b\\u202e\\u{e0041}메아리",
  );
  assertEquals(escapeControls("👩\u200d💻 \ud83d"), "👩\\u200d💻 \\ud83d");
});

Deno.test("escapeJson() leaves nothing that is acted on or hidden, and what reads back the same, when the text is any", () => {
  fc.assert(fc.property(anyText, (text) => {
    const json = escapeJson(JSON.stringify({ text }));
    assertEquals([isUnsafe(json), JSON.parse(json)], [false, { text }]);
  }));
});
