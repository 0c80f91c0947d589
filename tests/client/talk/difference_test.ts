import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findDifference, firstDifference } from "../../../client/talk/difference.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("firstDifference() finds the first byte that differs, wherever it is", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 });
  fc.assert(fc.property(bytes, fc.nat(), (bytes, place) => {
    assertEquals(firstDifference(bytes, bytes.slice()), -1);
    const index = place % bytes.length;
    // Another one differs, too, if there is one.
    const other = bytes.map((byte, i) => i === index || i === index + 3 ? byte ^ 1 : byte);
    assertEquals(firstDifference(bytes, other), index);
    assertEquals(firstDifference(bytes, bytes.subarray(0, index)), index);
    assertEquals(firstDifference(bytes.subarray(0, index), bytes), index);
  }));
});

Deno.test("findDifference() takes a part that came for no difference, and a shorter datagram for one", () => {
  const message = encode("hello");
  assertEquals(findDifference(message, { bytes: encode("he"), missing: "no echo" }), undefined);
  assertEquals(findDifference(message, { bytes: encode("he") }), { byte: 3, sent: '"hello"', got: '"he"' });
  const cut = { bytes: encode("ha"), missing: "no echo" };
  assertEquals(findDifference(message, cut), { byte: 2, sent: '"hello"', got: '"ha"' });
});

Deno.test("findDifference() escapes what it shows", () => {
  const bytes = encode("a\x1b[2J");
  assertEquals(findDifference(encode("abcde"), { bytes }), { byte: 2, sent: '"abcde"', got: '"a\\x1b[2J"' });
});
