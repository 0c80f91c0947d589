import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { hexdump } from "../../lib/hexdump.ts";

const LINE = /^([0-9a-f]{8}) {2}(.{23}) {2}(.{23}) {2}\|([\x20-\x7e]{1,16})\|$/;

Deno.test("hexdump() holds every byte at its place when the bytes are any", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 100, size: "max" }), (bytes) => {
    const lines = hexdump(bytes).split("\n");
    const read: number[] = [];
    for (const [i, line] of lines.entries()) {
      assertMatch(line, LINE);
      const [, offset, left, right, ascii] = LINE.exec(line)!;
      assertEquals(parseInt(offset!, 16), i * 16);
      const row = `${left} ${right}`.trim().split(/ +/).map((hex) => parseInt(hex, 16));
      assertEquals(ascii, row.map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".").join(""));
      read.push(...row);
    }
    assertEquals(read, [...bytes]);
  }));
});

Deno.test("hexdump() is laid out as by hexdump -C when there are full and partial lines", () => {
  assertEquals(
    hexdump(new TextEncoder().encode("0123456789abcdef메아리\n")),
    "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n" +
      "00000010  eb a9 94 ec 95 84 eb a6  ac 0a                    |..........|",
  );
});

Deno.test("hexdump() is empty when there are no bytes", () => assertEquals(hexdump(new Uint8Array()), ""));
