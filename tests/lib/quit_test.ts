import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isQuit } from "../../lib/quit.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("isQuit() is true when the message is quit alone, with or without a line end", () => {
  for (const text of ["quit", "quit\n", "quit\r\n"]) assertEquals(isQuit(encode(text)), true);
});

Deno.test("isQuit() is false when anything else is in the message", () => {
  const others = [
    "",
    "q",
    "qui",
    "quit\r",
    "quit\n\n",
    "quit\n\r",
    "quit ",
    " quit",
    "Quit",
    "QUIT",
    "quit\0",
    "quit\r\n\n",
  ];
  for (const text of [...others, "quitquit", "xquit\n"]) {
    assertEquals(isQuit(encode(text)), false, JSON.stringify(text));
  }
});

Deno.test("isQuit() agrees with the three spellings when the bytes are near to them", () => {
  const byte = fc.oneof(fc.constantFrom(...encode("quit\r\n")), fc.integer({ min: 0, max: 255 }));
  const near = fc.tuple(fc.constantFrom("", "qui", "quit", "quit\r"), fc.array(byte, { maxLength: 3 }))
    .map(([start, rest]) => Uint8Array.of(...encode(start), ...rest));
  fc.assert(
    fc.property(near, (bytes) => {
      const text = String.fromCharCode(...bytes);
      assertEquals(isQuit(bytes), text === "quit" || text === "quit\n" || text === "quit\r\n");
    }),
    { numRuns: 2000 },
  );
});
