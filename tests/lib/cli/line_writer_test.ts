import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LineWriter, type LineWriterOptions } from "../../../lib/cli/line_writer.ts";
import { OutputClosed } from "../../../lib/cli/output.ts";
import { systemError } from "../../helpers/errors.ts";

/** A sink that does what a script says at each write, then takes everything. */
class ScriptedSink {
  #script: (number | Error | Promise<void>)[];
  #decoder = new TextDecoder();
  text = "";
  writes = 0;

  constructor(...script: (number | Error | Promise<void>)[]) {
    this.#script = script;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    let step = this.#script.shift();
    if (step instanceof Promise) step = await step as undefined;
    if (step instanceof Error) throw step;
    const taken = bytes.subarray(0, step ?? bytes.length);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.length;
  }
}

function writerTo(
  sink: ScriptedSink,
  options: Partial<LineWriterOptions> = {},
): { writer: LineWriter; told: string[] } {
  const told: string[] = [];
  const writer = new LineWriter(sink, {
    describeLost: (lines) => `(${lines} lost)`,
    onFailure: (cause) => told.push(cause),
    ...options,
  });
  return { writer, told };
}

Deno.test("LineWriter.write() writes every line in order when the sink takes any part of each write", async () => {
  const lines = fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " ")), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(
      lines,
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60, size: "max" }),
      async (lines, parts) => {
        const sink = new ScriptedSink(...parts);
        const { writer, told } = writerTo(sink);
        for (const [i, line] of lines.entries()) {
          writer.write(line);
          if (i % 3 === 0) await Promise.resolve();
        }
        await writer.flush(5000);
        assertEquals(sink.text, lines.map((line) => `${line}\n`).join(""));
        assertEquals(told, []);
      },
    ),
  );
});

Deno.test("LineWriter.write() sends the lines of one turn together when they come together", async () => {
  const sink = new ScriptedSink();
  const { writer } = writerTo(sink);
  for (const line of ["a", "b", "c"]) writer.write(line);
  await writer.flush(5000);
  assertEquals([sink.text, sink.writes], ["a\nb\nc\n", 1]);
});

Deno.test("LineWriter.write() drops lines and says how many when the sink is slower than the limit allows", async () => {
  const ready = Promise.withResolvers<void>();
  const sink = new ScriptedSink(ready.promise);
  const { writer, told } = writerTo(sink, { limit: 10 });
  writer.write("first");
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(sink.writes, 1);
  for (const line of ["aaaa", "bbbb", "cccc", "dddd", "eeee"]) writer.write(line);
  ready.resolve();
  await writer.flush(5000);
  assertEquals(sink.text, "first\naaaa\nbbbb\ncccc\n(2 lost)\n");
  writer.write("later");
  await writer.flush(5000);
  assertEquals(sink.text.endsWith("(2 lost)\nlater\n"), true);
  assertEquals(told, []);
});

Deno.test("LineWriter.write() gives the sink up and tells it once when the reader has gone", async () => {
  const sink = new ScriptedSink(2, systemError("EPIPE"));
  const { writer, told } = writerTo(sink);
  writer.write("first");
  await writer.flush(5000);
  writer.write("second");
  await writer.flush(5000);
  assertEquals([sink.text, sink.writes], ["fi", 2]);
  assertEquals(told, ["connection closed by the peer"]);
});

Deno.test("LineWriter.write() gives the sink up when there never was an output", async () => {
  const sink = new ScriptedSink(new OutputClosed("stdout is closed"));
  const { writer, told } = writerTo(sink);
  for (const line of ["first", "second"]) {
    writer.write(line);
    await writer.flush(5000);
  }
  assertEquals([sink.text, sink.writes, told], ["", 1, ["stdout is closed"]]);
});

Deno.test("LineWriter.write() tries again, tells it once and counts what was lost when the disk is full for a while", async () => {
  const sink = new ScriptedSink(systemError("ENOSPC"), systemError("ENOSPC"));
  const { writer, told } = writerTo(sink);
  for (const lines of [["first"], ["second", "third"], ["fourth"], ["fifth"]]) {
    lines.forEach((line) => writer.write(line));
    await writer.flush(5000);
  }
  assertEquals(sink.text, "fourth\n(3 lost)\nfifth\n");
  assertEquals(told, ["no space left on the device"]);
});

Deno.test("LineWriter.write() keeps the line after a torn one whole when a write fails midway", async () => {
  // The second write of the first batch fails within "two".
  const sink = new ScriptedSink(6, systemError("ENOSPC"));
  const { writer } = writerTo(sink);
  for (const line of ["one", "two", "three"]) writer.write(line);
  await writer.flush(5000);
  writer.write("four");
  await writer.flush(5000);
  assertEquals(sink.text, "one\ntw\nfour\n(2 lost)\n");
});

Deno.test("LineWriter.write() accounts for every line, written or lost, when the sink fails at any byte", async () => {
  const step = fc.oneof(fc.constant(systemError("ENOSPC")), fc.integer({ min: 1, max: 9 }));
  const batch = fc.array(fc.constantFrom("<a>", "<메아리>", "<of\nthree\nlines>"), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(fc.array(batch), fc.array(step, { maxLength: 30 }), async (batches, script) => {
      const sink = new ScriptedSink(...script);
      const { writer } = writerTo(sink, { limit: 20 });
      let lines = 0;
      // In the end the sink takes everything.
      for (const batch of [...batches, ...Array(31).fill(["<end>"])]) {
        batch.forEach((line: string) => writer.write(line));
        lines += batch.length;
        await writer.flush(5000);
      }
      const written = sink.text.match(/^<[^<>]*>$/gm)?.length ?? 0;
      const lost = [...sink.text.matchAll(/^\((\d+) lost\)$/gm)].map(([, count]) => Number(count));
      assertEquals(written + lost.reduce((sum, count) => sum + count, 0), lines);
    }),
  );
});

Deno.test("LineWriter.flush() returns at once when nothing waits", async () => {
  await writerTo(new ScriptedSink()).writer.flush(Infinity);
});

Deno.test("LineWriter.flush() gives up after its time when the sink takes nothing", async () => {
  const never = Promise.withResolvers<void>();
  const sink = new ScriptedSink(never.promise);
  const { writer } = writerTo(sink);
  writer.write("stuck");
  await writer.flush(1);
  assertEquals([sink.text, sink.writes], ["", 1]);
});
