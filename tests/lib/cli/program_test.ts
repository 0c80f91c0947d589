import { assertEquals } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import fc from "fast-check";
import { errorLine } from "../../../lib/cli/program.ts";
import { MeariError, UsageError } from "../../../lib/errors.ts";
import { escapeControls } from "../../../lib/escape.ts";
import { systemError } from "../../helpers/errors.ts";

setColorEnabled(false);

Deno.test("errorLine() is one line without a character that a terminal acts on when the error repeats any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const lines = [new UsageError(text), new MeariError(text), text].map((error) => errorLine("meari", error));
    for (const line of lines) assertEquals([escapeControls(line), line.startsWith("meari: ")], [line, true]);
  }));
});

Deno.test("errorLine() points to the help when the call was wrong and the message does not do so itself", () => {
  assertEquals(errorLine("meari", new UsageError("no such thing")), "meari: no such thing (meari --help shows how)");
  assertEquals(errorLine("meari", new UsageError("see meari --help")), "meari: see meari --help");
  assertEquals(errorLine("meari", new MeariError("it broke")), "meari: it broke");
});

Deno.test("errorLine() says in words what the system says when the error is none of ours", () => {
  assertEquals(errorLine("meari", systemError("EPIPE")), "meari: connection closed by the peer");
  assertEquals(errorLine("meari", "plain"), "meari: plain");
});
