import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { notesOf, renderBenchmark } from "../../../scripts/benchmark/page.ts";
import { benchmarkOf } from "../../helpers/benchmarks.ts";
import { chartsOf } from "../../helpers/reports.ts";

Deno.test("renderBenchmark() draws what grows, and leaves out what was not measured", () => {
  const { labels, rates, latencies, payloads } = chartsOf(renderBenchmark(benchmarkOf("connections"))) as unknown as {
    labels: string[];
    [chart: string]: unknown;
  };
  assertEquals(labels, ["OURS", "TWICE", "BROKEN"]);
  assertEquals(rates, [
    [1, 8, 64, 1000, 10_000].map(Math.log10),
    Array(5).fill(2000),
    Array(5).fill(4000),
    Array(5).fill(null),
  ]);
  assertEquals((latencies as number[][])[2], Array(5).fill(Math.log10(33.33)));
  assertEquals(payloads, undefined);
});

Deno.test("renderBenchmark() has every table and note, escaped", () => {
  const page = renderBenchmark(benchmarkOf("rtt", "payload"));
  for (const heading of ["Loads", "OURS beside each other server", "MB a second each way by payload"]) {
    assertStringIncludes(page, `<h2>${heading}</h2>`);
  }
  assertStringIncludes(page, "Not measured: BROKEN: it &lt;b&gt;does not&lt;/b&gt; start.");
  assert(!page.includes("<b>"));
});

Deno.test("notesOf() says what the loads are, who lost what, and what was not measured", () => {
  assertEquals(notesOf(benchmarkOf("udp-rtt")), [
    "udp-rtt: one socket, a datagram of 64 bytes at a time: datagrams a second.",
    "udp-rtt: TWICE left 5 unanswered.",
    "Not measured: BROKEN: it <b>does not</b> start.",
  ]);
});
