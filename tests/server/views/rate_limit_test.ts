import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RateLimit } from "../../../server/views/rate_limit.ts";
import { ManualTimers } from "../../helpers/manual_timers.ts";

function limitOf(perSecond: number): { limit: RateLimit; rests: [messages: number, bytes: number][] } {
  const rests: [number, number][] = [];
  return { limit: new RateLimit(perSecond, (messages, bytes) => rests.push([messages, bytes])), rests };
}

Deno.test("RateLimit.pass() lets so many through in a second and sums up the rest when there are more", () => {
  using timers = new ManualTimers();
  const { limit, rests } = limitOf(2);
  assertEquals([1, 2, 3, 4].map((bytes) => limit.pass(bytes)), [true, true, false, false]);
  timers.advance(999);
  assertEquals([limit.pass(5), rests], [false, []]);
  timers.advance(1);
  assertEquals(rests, [[3, 12]]);
  assertEquals([6, 7, 8].map((bytes) => limit.pass(bytes)), [true, true, false]);
  timers.advance(1000);
  assertEquals(rests, [[3, 12], [1, 8]]);
});

Deno.test("RateLimit.pass() tells of no rest and runs no timer when nothing more happens", () => {
  using timers = new ManualTimers();
  const { limit, rests } = limitOf(2);
  assertEquals(timers.pending, 0);
  limit.pass(1);
  assertEquals(timers.pending, 1);
  timers.advance(1000);
  assertEquals([timers.pending, rests], [0, []]);
});

Deno.test("RateLimit.end() tells of the rest at hand once and stops the timer", () => {
  using timers = new ManualTimers();
  const { limit, rests } = limitOf(1);
  for (const bytes of [1, 2, 3]) limit.pass(bytes);
  limit.end();
  limit.end();
  assertEquals([timers.pending, rests], [0, [[2, 5]]]);
});

Deno.test("RateLimit accounts for every event and exceeds its rate in no second when events come at any time", () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 700 }), fc.constant("event" as const)), {
    maxLength: 200,
    size: "max",
  });
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), steps, (perSecond, steps) => {
    using timers = new ManualTimers();
    const { limit, rests } = limitOf(perSecond);
    const passed: number[] = [];
    let now = 0, events = 0;
    for (const step of steps) {
      if (step !== "event") {
        timers.advance(step);
        now += step;
        continue;
      }
      events++;
      if (limit.pass(10)) passed.push(now);
    }
    limit.end();
    const rest = rests.reduce((sum, [messages]) => sum + messages, 0);
    assertEquals(passed.length + rest, events);
    for (const [messages, bytes] of rests) assertEquals(bytes, messages * 10);
    // Windows are fixed, not sliding: at a border two of them may meet.
    for (const [i, time] of passed.entries()) {
      const next = passed[i + 2 * perSecond];
      assertEquals(next === undefined || next - time >= 1000, true);
    }
  }));
});
