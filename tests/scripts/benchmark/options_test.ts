import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { parseBenchmarkArgs } from "../../../scripts/benchmark/options.ts";

Deno.test("parseBenchmarkArgs() reads lists and times", () => {
  const args = ["--only", "rtt,small", "--peers=go,c", "--rounds", "2", "-d", "1s", "--json", "--html", "page.html"];
  const { only, peers, rounds, duration, json, html } = parseBenchmarkArgs(args);
  assertEquals({ only, peers, rounds, duration, json, html }, {
    only: ["small", "rtt"],
    peers: ["c", "go"],
    rounds: 2,
    duration: 1000,
    json: true,
    html: "page.html",
  });
});

Deno.test("parseBenchmarkArgs() measures everything when nothing is said", () => {
  const { only, peers } = parseBenchmarkArgs([]);
  assertEquals([only.length, peers.length], [9, 6]);
});

Deno.test("parseBenchmarkArgs() throws when something is unknown or out of range", () => {
  const wrong = ["--only=smal", "--only=", "--peers=rust", "--rounds=0", "-d1ms", "--html=-", "small", "--engine"];
  for (const arg of wrong) assertThrows(() => parseBenchmarkArgs([arg]), UsageError);
});
