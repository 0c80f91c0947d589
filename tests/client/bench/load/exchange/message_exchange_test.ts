import { assertEquals } from "@std/assert";
import { planOf } from "../../../../../client/bench/bench.ts";
import { LoadCounters } from "../../../../../client/bench/load/counters.ts";
import { MessageExchange } from "../../../../../client/bench/load/exchange/message_exchange.ts";
import { makeNoise } from "../../../../../client/bench/load/exchange/noise.ts";
import { LoadSchedule } from "../../../../../client/bench/load/schedule.ts";

/** Datagrams of so many bytes, of which so many were sent at time 0. */
function sent(size: number, count: number) {
  const plan = planOf({ transport: "udp", host: "127.0.0.1", port: 7 }, { size, depth: count, wait: 1000 });
  const schedule = new LoadSchedule(plan);
  schedule.begin(0);
  const counters = new LoadCounters(plan, schedule);
  const exchange = new MessageExchange({ plan, schedule, counters, noise: makeNoise() }, () => NaN);
  const messages = Array.from({ length: count }, () => {
    const message = exchange.message.slice();
    exchange.begin(0, message, 0);
    return message;
  });
  return { counters, exchange, messages };
}

Deno.test("MessageExchange.take() knows answers in order where more are in flight than there are numbers", () => {
  const { counters, exchange, messages } = sent(1, 1000);
  assertEquals(messages.map((message) => exchange.take(message, 0, 1, 5)), messages.map(() => 1));
  exchange.expire(2000);
  assertEquals([counters.latencies.count, counters.counts.duplicate, counters.counts.lost], [1000, 0, 0]);
});

Deno.test("MessageExchange.take() calls no late answer a duplicate, however many were lost", () => {
  const { counters, exchange, messages } = sent(4, 100_000);
  assertEquals(exchange.expire(2000), 100_000);
  for (const message of messages) exchange.take(message, 0, 4, 2001);
  const { lost, late, duplicate } = counters.counts;
  assertEquals({ lost, late, duplicate }, { lost: 100_000, late: 100_000, duplicate: 0 });
});

Deno.test("MessageExchange.take() calls a second answer a duplicate", () => {
  const { counters, exchange, messages } = sent(64, 2);
  for (const message of [messages[1]!, messages[0]!, messages[0]!]) exchange.take(message, 0, 64, 5);
  assertEquals([counters.latencies.count, counters.counts.duplicate, counters.counts.late], [2, 1, 0]);
});
