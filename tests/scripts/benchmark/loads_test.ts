import { assert, assertEquals } from "@std/assert";
import { type LoadName, LOADS, loadsOf, suits, titleOf } from "../../../scripts/benchmark/loads.ts";
import { someLoads } from "../../helpers/benchmarks.ts";

Deno.test("loadsOf() gives the loads that are named, in its own order", () => {
  const { loads, tooLarge } = loadsOf(["rtt", "small"], 1024);
  assertEquals([loads.map(titleOf), tooLarge], [["small", "rtt"], []]);
  assertEquals(new Set(someLoads().flatMap(({ names }) => names)), new Set(Object.keys(LOADS) as LoadName[]));
});

Deno.test("loadsOf() keeps apart what needs more open files than there may be", () => {
  const { loads, tooLarge } = loadsOf(["fair", "idle", "connections"], 1024);
  assertEquals(loads.map(titleOf), ["64 connections", "1 connection", "8 connections"]);
  assertEquals(tooLarge.map(titleOf), ["fair", "idle", "1000 connections", "10000 connections"]);
});

Deno.test("suits() leaves a server with a process a connection only few connections and little in flight", () => {
  const suited = someLoads().filter((load) => suits({ forks: true }, load)).map(titleOf);
  assertEquals(suited, ["rtt", "8 connections", "1 byte", "1 KiB"]);
  assert(someLoads().every((load) => suits({}, load)));
});
