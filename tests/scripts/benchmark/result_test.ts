import { assertEquals } from "@std/assert";
import { summarize } from "../../../scripts/benchmark/result.ts";
import { benchmarkOf, serverOf, someLoads } from "../../helpers/benchmarks.ts";

Deno.test("summarize() gives medians, and the ratios round by round", () => {
  const servers = [serverOf("ours", { ours: true }), serverOf("peer")];
  const rates = (...values: number[]) => values.map((messages_per_s) => ({ messages_per_s }));
  const rounds = new Map([["ours", rates(10, 100, 1000)], ["peer", rates(10, 50, 4000)]]);
  const { results, ratio, lost } = summarize(someLoads("small")[0]!, servers, rounds);
  assertEquals(results, {
    ours: { messages_per_s: { median: 100, min: 10, max: 1000 } },
    peer: { messages_per_s: { median: 50, min: 10, max: 4000 } },
  });
  assertEquals(ratio, { ours: { peer: { messages_per_s: { median: 1, min: 0.25, max: 2 } } } });
  assertEquals(lost, {});
});

Deno.test("summarize() has a ratio above 1 where ours is ahead, also where less is better", () => {
  const [idle] = benchmarkOf("idle").loads;
  const { accepts_per_s, bytes_per_connection } = idle!.ratio.ours!.twice!;
  assertEquals([accepts_per_s!.median, bytes_per_connection!.median], [0.5, 0.5]);
});

Deno.test("summarize() leaves out a server that failed in each round, and compares the rounds in which neither did", () => {
  const servers = [serverOf("ours", { ours: true }), serverOf("never"), serverOf("once")];
  const rounds = new Map([
    ["ours", [{ messages_per_s: 10, lost: 2 }, { messages_per_s: 30, lost: 1 }]],
    ["never", [undefined, undefined]],
    ["once", [undefined, { messages_per_s: 60, lost: 0 }]],
  ]);
  const { results, ratio, lost } = summarize(someLoads("udp")[0]!, servers, rounds);
  assertEquals(Object.keys(results), ["ours", "once"]);
  assertEquals(ratio, { ours: { once: { messages_per_s: { median: 0.5, min: 0.5, max: 0.5 } } } });
  assertEquals(lost, { ours: 3 });
});
