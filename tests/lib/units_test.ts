import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "../../lib/errors.ts";
import { formatDuration, formatSize, parseCount, parseDuration, parseSize, plural } from "../../lib/units.ts";

/** Words that are no number with a unit; a name that every object has must not pass for a unit either. */
const NONSENSE = [
  "",
  " ",
  "s",
  "KiB",
  "-1s",
  "+1",
  "1e3",
  "0x10",
  "1,5s",
  "1 2",
  "1..5",
  ".",
  "5parsecs",
  "5constructor",
];

const parsers = { parseDuration, parseSize, parseCount };

for (const [name, parse] of Object.entries(parsers)) {
  Deno.test(`${name}() throws a UsageError that quotes the text when it is nonsense`, () => {
    for (const text of NONSENSE) assertThrows(() => parse(text), UsageError, `"${text}" is not`);
  });

  Deno.test(`${name}() returns a number that is not negative or throws a UsageError when given any text`, () => {
    const unit = fc.constantFrom("", "k", "M", "G", "kB", "KiB", "us", "µs", "ms", "s", "m", "h", "__proto__", "x");
    const text = fc.oneof(fc.string(), fc.tuple(fc.double().map(String), unit).map((parts) => parts.join("")));
    fc.assert(fc.property(text, (text) => {
      let value;
      try {
        value = parse(text);
      } catch (error) {
        if (error instanceof UsageError) return;
        throw error;
      }
      assertEquals(value >= 0, true, `${text} → ${value}`);
    }));
  });
}

Deno.test("parseDuration() returns milliseconds when the time has a unit in either case", () => {
  const times: [string, number][] = [
    ["83us", 0.083],
    ["83µs", 0.083],
    ["83μs", 0.083],
    ["250ms", 250],
    ["5s", 5000],
    ["5 S", 5000],
    ["1.5s", 1500],
    [".5s", 500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    [" 7s ", 7000],
    ["0", 0],
  ];
  for (const [text, milliseconds] of times) assertEquals(parseDuration(text), milliseconds, text);
});

Deno.test("parseDuration() takes seconds when there is no unit", () => {
  fc.assert(fc.property(fc.nat(), (seconds) => assertEquals(parseDuration(`${seconds}`), seconds * 1000)));
});

Deno.test("formatDuration() keeps three digits at the most when the time is below a minute", () => {
  const times: [number, string][] = [
    [0, "0us"],
    [0.083, "83us"],
    [0.9994, "999us"],
    [0.9995, "1ms"],
    [1.234, "1.23ms"],
    [999.4, "999ms"],
    [999.5, "1s"],
    [1234, "1.23s"],
    [5000, "5s"],
    [59_949, "59.9s"],
  ];
  for (const [milliseconds, text] of times) assertEquals(formatDuration(milliseconds), text);
});

Deno.test("formatDuration() writes hours, minutes and seconds when the time is a minute or more", () => {
  const times: [number, string][] = [
    [59_950, "1m"],
    [60_000, "1m"],
    [125_000, "2m 5s"],
    [3_599_600, "1h"],
    [3_605_000, "1h 5s"],
    [90_061_000, "25h 1m 1s"],
  ];
  for (const [milliseconds, text] of times) assertEquals(formatDuration(milliseconds), text);
});

Deno.test("formatDuration() writes what parseDuration() reads back to within half a percent when below a minute", () => {
  fc.assert(fc.property(fc.double({ min: 0.001, max: 59_949, noNaN: true }), (milliseconds) => {
    const read = parseDuration(formatDuration(milliseconds));
    assertEquals(Math.abs(read - milliseconds) <= milliseconds * 0.005 + 1e-9, true, `${milliseconds} → ${read}`);
  }));
});

Deno.test("parseSize() returns bytes when the size has a unit in either case", () => {
  const sizes: [string, number][] = [
    ["0", 0],
    ["64", 64],
    ["64b", 64],
    ["1kB", 1000],
    ["1K", 1024],
    ["64KiB", 65_536],
    ["64 kib", 65_536],
    ["1MB", 1_000_000],
    ["1M", 1_048_576],
    ["1.5MiB", 1_572_864],
    ["1GB", 1_000_000_000],
    ["1GiB", 1_073_741_824],
  ];
  for (const [text, bytes] of sizes) assertEquals(parseSize(text), bytes, text);
});

Deno.test("parseSize() and parseCount() return the exact number when a fraction makes a whole one", () => {
  fc.assert(fc.property(fc.nat(10_000_000), (number) => {
    assertEquals(parseSize(`${(number / 1000).toFixed(3)}kB`), number);
    assertEquals(parseSize(`${(number / 1e6).toFixed(6)}MB`), number);
    assertEquals(parseCount(`${(number / 1000).toFixed(3)}k`), number);
    assertEquals(parseCount(`${(number / 1e6).toFixed(6)}M`), number);
  }));
});

Deno.test("parseSize() throws when it would be a part of a byte or too large to count", () => {
  for (const text of ["1.5", "0.3KiB", "1.0001kB", "9007199254740992", "99999999GiB"]) {
    assertThrows(() => parseSize(text), UsageError, "is not a size in bytes; write it like 64, 64KiB or 1MB");
  }
});

Deno.test("formatSize() writes bytes, or powers of 1024 where three digits tell the size", () => {
  const sizes: [number, string][] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [1025, "1025 bytes"],
    [1536, "1.5 KiB"],
    [65_507, "65507 bytes"],
    [65_536, "64 KiB"],
    [65_537, "65537 bytes"],
    [1023 * 1024, "1023 KiB"],
    [1024 ** 2 - 1, "1048575 bytes"],
    [1024 ** 2, "1 MiB"],
    [1024 ** 2 + 1, "1.00 MiB"],
    [64 * 1024 ** 2 - 1, "63.9 MiB"],
    [1024 ** 3 - 1, "1023 MiB"],
    [1024 ** 3 * 1.5, "1.5 GiB"],
    [2 ** 50 - 1, "1023 TiB"],
    [1024 ** 6, "1024 PiB"],
  ];
  for (const [bytes, text] of sizes) assertEquals(formatSize(bytes), text);
});

Deno.test("formatSize() is exact below a MiB, and above never more than the size nor less by a hundredth", () => {
  const size = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(2 ** 21),
    fc.tuple(fc.nat(1023), fc.nat(4)).map(([n, k]) => n * 1024 ** k),
  );
  fc.assert(fc.property(size, (bytes) => {
    const text = formatSize(bytes);
    const [number, unit] = text.split(" ");
    const factor =
      { byte: 1, bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4, PiB: 1024 ** 5 }[unit!];
    const shown = Number(number) * factor!;
    if (bytes < 1024 ** 2) return assertEquals([shown, parseSize(text.replace(/ bytes?/, ""))], [bytes, bytes]);
    assertEquals(shown <= bytes && shown > bytes * 0.99, true, `${bytes} → ${text}`);
    // A size that is no whole number of units does not look like one, as long as three digits allow.
    if (shown < 100 * factor! && Number.isInteger(Number(number))) assertEquals(number!.includes("."), shown !== bytes);
  }));
});

Deno.test("plural() writes the singular for one alone", () => {
  assertEquals([0, 1, 2].map((count) => plural(count, "byte")), ["0 bytes", "1 byte", "2 bytes"]);
});

Deno.test("parseCount() takes powers of 1000 when the number is shortened", () => {
  const counts: [string, number][] = [["0", 0], ["100", 100], ["20k", 20_000], ["1.5M", 1_500_000], ["2g", 2e9]];
  for (const [text, count] of counts) assertEquals(parseCount(text), count);
});

Deno.test("parseCount() throws when the number is not whole or has the unit of a size", () => {
  for (const text of ["1.5", "1.0001k", "1KiB", "5s"]) {
    assertThrows(() => parseCount(text), UsageError, "is not a whole number; write it like 100 or 20k");
  }
});
