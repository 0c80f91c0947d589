import { assertEquals } from "@std/assert";
import { planOf } from "../../../../client/bench/bench.ts";
import { LoadSchedule } from "../../../../client/bench/load/schedule.ts";
import type { Endpoint } from "../../../../lib/endpoint.ts";

const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };

Deno.test("LoadSchedule has the connections take turns", () => {
  const schedule = new LoadSchedule(planOf(endpoint, { rate: 100, duration: 100, connections: 3 }));
  schedule.begin(5000);
  assertEquals(schedule.scheduled, 10);
  assertEquals([0, 1, 2].map((number) => schedule.dueAt(number, 0)), [5000, 5010, 5020]);
  assertEquals(schedule.dueAt(1, 2), 5070);
});

Deno.test("LoadSchedule.remaining() adds up to what was scheduled and counts", () => {
  for (const [messages, connections, warmup] of [[100, 7, 0], [100, 7, 35], [3, 5, 0], [1, 5, 20]] as const) {
    const schedule = new LoadSchedule(planOf(endpoint, { rate: 1000, messages, connections, warmup }));
    schedule.begin(0);
    const numbers = Array.from({ length: connections }, (_, number) => number);
    const remaining = (index: number) => numbers.map((number) => schedule.remaining(number, index));
    assertEquals(remaining(0).reduce((a, b) => a + b), messages);
    for (let index = 0; index < 30; index++) {
      // A message counts if it is due after the warm-up, and before the end.
      const counting = numbers.map((number) => {
        const place = index * connections + number;
        return place >= warmup && place < schedule.scheduled ? 1 : 0;
      });
      assertEquals(remaining(index).map((count, number) => count - remaining(index + 1)[number]!), counting);
    }
    assertEquals(remaining(30).every((count) => count === 0), true);
  }
});

Deno.test("LoadSchedule.claim() grants no more messages than there are, and ends the sending with them", async () => {
  const schedule = new LoadSchedule(planOf(endpoint, { messages: 5, warmup: 10 }));
  schedule.begin(0);
  // The warm-up has as many as it likes.
  assertEquals([schedule.claim(8, 9), schedule.claim(3, 10), schedule.claim(3, 11)], [8, 3, 2]);
  assertEquals([schedule.sending, schedule.over.aborted], [true, false]);
  assertEquals([schedule.claim(1, 12), schedule.sending, schedule.over.aborted], [0, false, true]);
  await schedule.sent;
  schedule.release(13);
  await schedule.idle;
});
