import { assertEquals } from "@std/assert";
import { stepsOf } from "../../../scripts/benchmark/benchmark.ts";
import { titleOf } from "../../../scripts/benchmark/loads.ts";
import { serverOf, someLoads } from "../../helpers/benchmarks.ts";

Deno.test("stepsOf() has each load measured on each server in each round, another one first each time", () => {
  const servers = ["a", "b", "c"].map((id) => serverOf(id));
  const steps = stepsOf({ servers, loads: someLoads("small", "rtt"), rounds: 2, seconds: 1 });
  assertEquals(steps.map(({ round, load, server }) => `${round} ${titleOf(load)} ${server.id}`), [
    ...["0 small a", "0 small b", "0 small c"],
    ...["0 rtt b", "0 rtt c", "0 rtt a"],
    ...["1 small b", "1 small c", "1 small a"],
    ...["1 rtt c", "1 rtt a", "1 rtt b"],
  ]);
});

Deno.test("stepsOf() leaves out servers that a load does not suit", () => {
  const servers = [serverOf("a", { forks: true }), serverOf("b")];
  const steps = stepsOf({ servers, loads: someLoads("small", "rtt"), rounds: 1, seconds: 1 });
  assertEquals(steps.map(({ load, server }) => `${titleOf(load)} ${server.id}`), ["small b", "rtt b", "rtt a"]);
});
