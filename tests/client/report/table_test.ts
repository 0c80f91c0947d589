import { assertEquals } from "@std/assert";
import { alignColumns, summaryTable } from "../../../client/report/table.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { seriesOf } from "../../helpers/reports.ts";

Deno.test("summaryTable() gives the count, the rate and the latencies of each series", () => {
  const samples = Array.from({ length: 999 }, (_, index) => (index + 1) * 1000);
  const table = summaryTable([seriesOf("a", ...samples), { ...seriesOf("b"), intervals: [] }]);
  assertEquals(table.slice(1), [
    ["a", "999", "999", "1us", "500us", "500us", "900us", "990us", "999us", "999us", "999us", "999us"],
    ["b", "0", "–", ...Array(9).fill("–")],
  ]);
  assertEquals(new Set(table.map((row) => row.length)).size, 1);
});

Deno.test("summaryTable() gives the rate within the intervals, not that of the time between them", () => {
  const at = (start: number) => ({ start, end: start + 1000, count: 3 });
  const series = { ...seriesOf("a", ...Array(6).fill(1000)), intervals: [at(9000), at(0)] };
  assertEquals(summaryTable([series])[1]!.slice(0, 3), ["a", "6", "3"]);
});

Deno.test("summaryTable() escapes labels and keeps those apart that look alike then", () => {
  const table = summaryTable(["a\x1b[31m\n", "a\\x1b[31m\\n", "b", "b"].map((label) => seriesOf(label, 1000)));
  assertEquals(table.map(([label]) => label), ["", "a\\x1b[31m\\n", "a\\x1b[31m\\n (2)", "b", "b (2)"]);
});

Deno.test("alignColumns() aligns labels to the left and figures to the right, however wide the labels are", () => {
  const lines = alignColumns([["", "messages", "p50"], ["메아리 👋", "10", "1.5us"], ["run.hlog", "1,234,567", "1us"]]);
  assertEquals(lines, [
    "            messages    p50",
    "메아리 👋         10  1.5us",
    "run.hlog   1,234,567    1us",
  ]);
  assertEquals(new Set(lines.map(textWidth)).size, 1);
});
