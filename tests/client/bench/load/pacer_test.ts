import { assertEquals } from "@std/assert";
import { planOf } from "../../../../client/bench/bench.ts";
import type { LoadConnection } from "../../../../client/bench/load/connection.ts";
import { Pacer } from "../../../../client/bench/load/pacer.ts";
import { LoadSchedule } from "../../../../client/bench/load/schedule.ts";
import type { Endpoint } from "../../../../lib/endpoint.ts";

const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };

/** A load of a message each millisecond, from 1000 on, and what falls due in it. */
function paced(options: Parameters<typeof planOf>[1]) {
  const plan = planOf(endpoint, { rate: 1000, connections: 2, ...options });
  const schedule = new LoadSchedule(plan);
  schedule.begin(1000);
  const fell: [number, number][] = [];
  const connections = [0, 1].map((number) => ({ fallDue: (due: number) => fell.push([number, due]) }));
  return { schedule, fell, pacer: new Pacer(plan, schedule, connections as unknown as LoadConnection[]) };
}

Deno.test("Pacer.sendDue() sends what is due, tells when the next one is, and ends the sending", () => {
  const { schedule, fell, pacer } = paced({ messages: 3 });
  assertEquals([pacer.sendDue(999), fell.length], [1000, 0]);
  assertEquals([pacer.sendDue(1001.5), fell], [1002, [[0, 1000], [1, 1001]]]);
  assertEquals([pacer.behind, schedule.sending], [1.5, true]);
  assertEquals([pacer.sendDue(1004), fell.at(-1)], [Infinity, [0, 1002]]);
  assertEquals([pacer.behind, schedule.sending], [2, false]);
  assertEquals([pacer.sendDue(5000), fell.length], [Infinity, 3]);
  // Three messages of a thousand a second take three milliseconds.
  assertEquals(schedule.ended, 1003);
});

Deno.test("Pacer.sendDue() does not send everything at once when it is far behind", () => {
  const { fell, pacer } = paced({ messages: 600 });
  assertEquals([pacer.sendDue(9000), fell.length], [1256, 256]);
  assertEquals([pacer.sendDue(9000), fell.length], [1512, 512]);
  assertEquals([pacer.sendDue(9000), fell.length], [Infinity, 600]);
});

Deno.test("Pacer does not count what is late in the warm-up", () => {
  const { pacer } = paced({ messages: 1, warmup: 2 });
  pacer.sendDue(1001.9);
  assertEquals(pacer.behind, 0);
  pacer.sendDue(1002.25);
  assertEquals(pacer.behind, 0.25);
});
