import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { StatusLine, type StatusLineOptions, terminalColumns } from "../../../lib/cli/status_line.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";

/** One row of a terminal: what it shows, and everything it was ever given. */
class Row {
  text = "";
  widths: number[] = [];
  writes = 0;

  write = (text: string) => {
    this.writes++;
    // Each write begins at the start of the row and erases what lies behind its end.
    assertEquals([text.startsWith("\r"), text.endsWith("\x1b[K")], [true, true]);
    this.text = text.slice(1, -3);
    this.widths.push(textWidth(this.text));
  };
}

function lineOn(row: Row, columns: number, options: StatusLineOptions = {}): StatusLine {
  return new StatusLine({ write: row.write, columns: () => columns, interval: 0, ...options });
}

function drawn(parts: string[], columns: number): string {
  const row = new Row();
  lineOn(row, columns).draw(() => parts);
  return row.text;
}

Deno.test("StatusLine.draw() leaves out what does not fit, the least important first", () => {
  const parts = ["1.5 MiB sent", "1 MiB back", "800 KiB/s"];
  assertEquals(drawn(parts, 80), "1.5 MiB sent  1 MiB back  800 KiB/s");
  assertEquals(drawn(parts, 38), "1.5 MiB sent  1 MiB back  800 KiB/s");
  assertEquals(drawn(parts, 37), "1.5 MiB sent  1 MiB back");
  assertEquals(drawn(parts, 26), "1.5 MiB sent");
  assertEquals(drawn(parts, 13), "1.5 MiB s…");
  assertEquals(["", "a"].map((part) => drawn([part], 0)), ["", ""]);
  assertEquals([drawn([], 80), drawn(["a", "", "b"], 80)], ["", "a  b"]);
});

Deno.test("StatusLine.draw() counts two columns when a character is Korean or an emoji", () => {
  assertEquals(drawn(["서버 메아리 👋", "다음"], 23), "서버 메아리 👋  다음");
  assertEquals(drawn(["서버 메아리 👋", "다음"], 22), "서버 메아리 👋");
  assertEquals(drawn(["서버 메아리 👋"], 16), "서버 메아리 …");
});

Deno.test("StatusLine.draw() keeps to one row and leaves room for ^C when the width and the parts are any", () => {
  const part = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.constantFrom("서버\n", "\x1b[2J"),
  );
  fc.assert(fc.property(fc.array(part), fc.integer({ min: 40, max: 200 }), (parts, columns) => {
    const row = new Row();
    using line = lineOn(row, columns);
    line.draw((room) => {
      assertEquals(room, columns - 3);
      return parts;
    });
    assertEquals([row.writes, row.widths.every((width) => width <= columns - 3)], [1, true]);
  }));
});

Deno.test("StatusLine.draw() asks for the width anew each time when the terminal is resized", () => {
  const row = new Row();
  let columns = 40;
  using line = new StatusLine({ write: row.write, columns: () => columns, interval: 0 });
  const shown = [40, 13, 40].map((width) => {
    columns = width;
    line.draw(() => ["1.5 MiB sent"]);
    return row.text;
  });
  assertEquals(shown, ["1.5 MiB sent", "1.5 MiB s…", "1.5 MiB sent"]);
});

Deno.test("StatusLine.draw() makes no parts and writes nothing when it was drawn a moment ago", () => {
  const row = new Row();
  const line = lineOn(row, 80, { interval: 1e9 });
  let made = 0;
  for (let i = 0; i < 3; i++) line.draw(() => [`drawn ${++made}`]);
  assertEquals([made, row.text, row.writes], [1, "drawn 1", 1]);
  line.clear();
  assertEquals(row.text, "");
});

Deno.test("StatusLine.clear() removes the line once, and writes nothing when none was drawn", () => {
  const row = new Row();
  {
    using line = lineOn(row, 80);
    line.clear();
    assertEquals(row.writes, 0);
    line.draw(() => ["here"]);
    line.clear();
    assertEquals([row.text, row.writes], ["", 2]);
  }
  assertEquals(row.writes, 2);
});

Deno.test("StatusLine gives a terminal up without an error when it has gone", () => {
  let writes = 0;
  const line = new StatusLine({
    write: () => {
      writes++;
      throw new Deno.errors.BrokenPipe();
    },
    columns: () => 80,
    interval: 0,
  });
  line.draw(() => ["a"]);
  line.draw(() => ["b"]);
  line[Symbol.dispose]();
  assertEquals(writes, 1);
});

Deno.test("terminalColumns() is a width that a line can be fitted to, with and without a terminal", () => {
  const columns = terminalColumns();
  assertEquals([Number.isInteger(columns), columns > 0], [true, true]);
});
