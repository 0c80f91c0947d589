import { assertEquals } from "@std/assert";
import type { ServerEvent } from "../../../server/events.ts";
import { EventLimits, isFailure, ratesOf, type Unshown } from "../../../server/views/limits.ts";
import { ManualTimers } from "../../helpers/manual_timers.ts";

const endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 } as const;
const peer = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } as const;
const counts = { messages: 1, bytes: 3, duration: 1 };

/** An event of each kind that a log may show. */
const events: { [T in Exclude<ServerEvent["type"], "omitted">]: Extract<ServerEvent, { type: T }> } = {
  listening: { type: "listening", endpoint, engine: "portable" },
  fallback: { type: "fallback", cause: "they need Linux" },
  connected: { type: "connected", endpoint, connection: 1, peer },
  echoed: { type: "echoed", endpoint, connection: 1, peer, message: new Uint8Array(3), offset: 0 },
  refused: { type: "refused", endpoint, peer, reason: "repeats" },
  disconnected: { type: "disconnected", endpoint, connection: 1, peer, how: "closed", ...counts },
  failed: { type: "failed", endpoint, operation: "accept", cause: "too many open files" },
  replaced: { type: "replaced", worker: 0, cause: "a bug of ours" },
  stopping: { type: "stopping", connections: 1 },
  stopped: { type: "stopped", connections: 1, refused: {}, replaced: 0, ...counts },
};

/** How many of a hundred events of each kind pass, and the rest. */
function passed(everyMessage: boolean) {
  using timers = new ManualTimers();
  const unshown: Unshown[] = [];
  const limits = new EventLimits(everyMessage, (rest) => unshown.push(rest));
  const count: Record<string, number> = {};
  for (const event of Object.values(events)) {
    count[event.type] = Array.from({ length: 100 }, () => limits.pass(event)).filter(Boolean).length;
  }
  timers.advance(1000);
  assertEquals(timers.pending, 0);
  return { count, unshown };
}

Deno.test("EventLimits.pass() keeps what a stranger can cause to a rate, and tells the rest of each kind", () => {
  const { count, unshown } = passed(false);
  assertEquals(count, {
    listening: 100,
    fallback: 100,
    connected: 20,
    echoed: 20,
    refused: 5,
    disconnected: 20,
    failed: 5,
    replaced: 100,
    stopping: 100,
    stopped: 100,
  });
  assertEquals(unshown, [
    { of: "connected", count: 80, bytes: 0 },
    { of: "echoed", count: 80, bytes: 240 },
    { of: "refused", count: 95, bytes: 0 },
    { of: "disconnected", count: 80, bytes: 0 },
    { of: "failed", count: 95, bytes: 0 },
  ]);
});

Deno.test("EventLimits.pass() lets connections and messages through, but no flood of failures, when all are asked for", () => {
  const { count, unshown } = passed(true);
  assertEquals([count.connected, count.echoed, count.disconnected, count.refused, count.failed], [100, 100, 100, 5, 5]);
  assertEquals(unshown.map(({ of }) => of), ["refused", "failed"]);
});

Deno.test("EventLimits.end() tells the rest at hand and stops every timer", () => {
  using timers = new ManualTimers();
  const unshown: Unshown[] = [];
  const limits = new EventLimits(false, (rest) => unshown.push(rest));
  for (let i = 0; i < 25; i++) for (const event of Object.values(events)) limits.pass(event);
  limits.end();
  assertEquals([timers.pending, unshown.map(({ count }) => count)], [0, [5, 5, 5, 20, 20]]);
});

Deno.test("EventLimits.omit() adds what the server has left out to the rest of its kind", () => {
  using timers = new ManualTimers();
  const unshown: Unshown[] = [];
  const limits = new EventLimits(false, (rest) => unshown.push(rest));
  for (let i = 0; i < 21; i++) limits.pass(events.echoed);
  limits.omit({ type: "omitted", of: "echoed", count: 10, bytes: 100 });
  limits.omit({ type: "omitted", of: "refused", count: 4, bytes: 0 });
  timers.advance(1000);
  assertEquals(unshown, [{ of: "echoed", count: 11, bytes: 103 }, { of: "refused", count: 4, bytes: 0 }]);
  limits.omit({ type: "omitted", of: "failed", count: 1, bytes: 0 });
  limits.end();
  assertEquals([unshown.at(-1), timers.pending], [{ of: "failed", count: 1, bytes: 0 }, 0]);
});

Deno.test("ratesOf() asks for no more events than a log shows", () => {
  for (const everyMessage of [false, true]) {
    const { count } = passed(everyMessage);
    const rates = Object.entries(ratesOf(everyMessage));
    assertEquals(rates.map(([kind, rate]) => [kind, Math.min(rate, 100)]), rates.map(([kind]) => [kind, count[kind]]));
  }
});

Deno.test("isFailure() is true of what went wrong, and of nothing else", () => {
  const failures = Object.values(events).filter(isFailure).map(({ type }) => type);
  assertEquals(failures.sort(), ["failed", "fallback", "replaced"]);
});
