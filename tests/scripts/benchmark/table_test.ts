import { assertEquals } from "@std/assert";
import { headline, tablesOf } from "../../../scripts/benchmark/table.ts";
import { benchmarkOf } from "../../helpers/benchmarks.ts";

Deno.test("tablesOf() has a column for each figure, and then how ours compares", () => {
  const [loads, ratios, ...more] = tablesOf(benchmarkOf("small", "fair", "bulk", "idle"));
  assertEquals(loads, {
    title: "Loads",
    text: "medians of 2 rounds",
    rows: [
      ["", "small", "fair", "bulk", "accepts", "memory"],
      ["OURS", "2,000", "1.00", "0.128", "20,000", "0.7"],
      ["TWICE", "4,000", "2.00", "0.256", "40,000", "0.3"],
      ["BROKEN", "–", "–", "–", "–", "–"],
    ],
  });
  assertEquals(ratios!.rows, [
    ["", "small", "fair", "bulk", "accepts", "memory"],
    ["TWICE", "0.50", "0.50", "0.50", "0.50", "0.50"],
    ["BROKEN", "–", "–", "–", "–", "–"],
  ]);
  assertEquals(more, []);
});

Deno.test("tablesOf() has tables of what grows", () => {
  const tables = tablesOf(benchmarkOf("connections", "payload"));
  assertEquals(tables.map(({ rows }) => rows[0]), [
    ["", "1", "8", "64", "1,000", "10,000"],
    ["", "1", "8", "64", "1,000", "10,000"],
    ["", "1 byte", "64 bytes", "1 KiB", "32 KiB", "1 MiB"],
  ]);
  assertEquals(tables[1]!.rows[2], ["TWICE", ...Array(5).fill("33.3us")]);
});

Deno.test("headline() names the machine and what the peers are made of", () => {
  assertEquals(
    headline(benchmarkOf("rtt")),
    "meari 0.0.0, TWICE 1.2, BROKEN 1.2, A processor, 2 cores, linux 6, 2 × 300ms, 2026-01-02",
  );
});
