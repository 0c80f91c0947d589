import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readLines } from "../../../client/talk/lines.ts";
import { ChunkSource } from "../../helpers/chunk_source.ts";
import { bounded } from "../../helpers/bounded.ts";
import { noise } from "../../helpers/streams.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What readLines() is to return, said in another way: byte by byte. */
function linesOf(bytes: Uint8Array): number[][] {
  const lines: number[][] = [];
  let line: number[] = [];
  for (const byte of bytes) {
    if (byte === 0x0a) {
      if (line.at(-1) === 0x0d) line.pop();
      lines.push(line);
      line = [];
    } else line.push(byte);
  }
  return line.length > 0 ? [...lines, line] : lines;
}

async function textLines(...chunks: string[]): Promise<string[]> {
  const lines = readLines(new ChunkSource(chunks.map(encode)));
  return await Array.fromAsync(lines, (line) => new TextDecoder().decode(line));
}

bounded("readLines() returns the same lines however the bytes are cut", async () => {
  const byte = fc.oneof(fc.constantFrom(0x0a, 0x0d), fc.integer({ min: 0, max: 255 }));
  const chunk = fc.array(byte, { minLength: 1, maxLength: 12 }).map((bytes) => Uint8Array.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 12 }), async (chunks) => {
      const whole = Uint8Array.from(chunks.flatMap((part) => [...part]));
      // Kept until the end: a line that were a view of a buffer used again would have changed by then.
      const lines = await Array.fromAsync(readLines(new ChunkSource(chunks)));
      assertEquals(lines.map((line) => [...line]), linesOf(whole));
    }),
    { numRuns: 2000 },
  );
});

bounded("readLines() takes LF and CR LF for a line end, and CR alone for a byte", async () => {
  assertEquals(await textLines("a\nb\r\nc\rd\r\r\n"), ["a", "b", "c\rd\r"]);
});

bounded("readLines() finds a CR LF that is cut between two reads", async () => {
  assertEquals(await textLines("a\r", "\nb"), ["a", "b"]);
});

bounded("readLines() counts a last line without a line end, and no line after a last line end", async () => {
  assertEquals(await textLines("a\nb"), ["a", "b"]);
  assertEquals(await textLines("a\nb\n"), ["a", "b"]);
  assertEquals(await textLines("\n\n"), ["", ""]);
  assertEquals(await textLines(), []);
});

bounded("readLines() keeps a Korean character whole that is cut at every byte", async () => {
  const bytes = encode("메아리\n산");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines = readLines(new ChunkSource([bytes.slice(0, cut), bytes.slice(cut)]));
    assertEquals(await Array.fromAsync(lines, (line) => new TextDecoder().decode(line)), ["메아리", "산"]);
  }
});

bounded("readLines() returns a line of 1 MB whole", async () => {
  const long = noise(1_000_000).map((byte) => byte === 0x0a || byte === 0x0d ? 0 : byte);
  const [first, second, ...more] = await Array.fromAsync(readLines(new ChunkSource([long, encode("\nend")])));
  assertEquals([first?.length, second, more.length], [1_000_000, encode("end"), 0]);
  assertEquals(first?.every((byte, i) => byte === long[i]), true);
});

bounded("readLines() keeps lines that are longer than its buffer apart, however long and however cut", async () => {
  const lengths = fc.array(fc.constantFrom(0, 1, 1000, 65_535, 65_536, 65_537, 200_000), { maxLength: 6 });
  const cuts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(lengths, cuts, async (lengths, cuts) => {
      // Each line is of one letter, so that bytes of another one in it would show.
      const text = lengths.map((length, i) => `${"abcdef"[i]}`.repeat(length) + "\r\n".slice(i % 2)).join("");
      const whole = encode(text);
      const chunks: Uint8Array[] = [];
      for (let done = 0, turn = 0; done < whole.length; done += chunks.at(-1)!.length) {
        chunks.push(whole.slice(done, done + cuts[turn++ % cuts.length]!));
      }
      const lines = await Array.fromAsync(readLines(new ChunkSource(chunks)));
      assertEquals(lines.map((line) => new TextDecoder().decode(line)), text.split(/\r?\n/).slice(0, -1));
    }),
    { numRuns: 100 },
  );
});

bounded("readLines() returns a line before the next one has come", async () => {
  const source = new ChunkSource([encode("one\ntw")]);
  source.open = true;
  const lines = readLines(source);
  assertEquals((await lines.next()).value, encode("one"));
  source.push(encode("o\n"));
  assertEquals((await lines.next()).value, encode("two"));
  source.end();
  assertEquals((await lines.next()).done, true);
});
