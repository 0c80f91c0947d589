import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type EventRates, LIMITED, type Limited } from "../../../server/events.ts";
import { Outbox } from "../../../server/native/outbox.ts";
import type { WorkerEvent } from "../../../server/native/protocol.ts";

const peer = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } as const;

const connected = (connection: number): WorkerEvent => ({ type: "connected", endpoint: 0, connection, peer });
const echoed = (length: number): WorkerEvent => {
  return { type: "echoed", endpoint: 0, connection: 1, peer, message: new Uint8Array(length), offset: 0 };
};

/** An outbox whose messages are kept. */
function newOutbox(rates: Partial<EventRates> = {}) {
  const posted: WorkerEvent[][] = [];
  const current = LIMITED.map((kind) => rates[kind] ?? Infinity);
  const outbox = new Outbox((message) => {
    if (typeof message === "object" && "events" in message) posted.push(message.events);
  }, current);
  return { outbox, posted, setRate: (kind: Limited, rate: number) => current[LIMITED.indexOf(kind)] = rate };
}

/** How many events of a kind were told, and how many were told of as left out, with their bytes. */
function sums(posted: WorkerEvent[][], kind: WorkerEvent["type"]) {
  const events = posted.flat();
  const omitted = events.filter((event) =>
    event.type === "omitted" && event.of === kind
  ) as (WorkerEvent & { type: "omitted" })[];
  return {
    told: events.filter(({ type }) => type === kind).length,
    omitted: omitted.reduce((sum, { count }) => sum + count, 0),
    bytes: omitted.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

Deno.test("Outbox.add() lets the first event go at once, and gathers what comes soon after it", () => {
  const { outbox, posted } = newOutbox();
  assertEquals(outbox.due, Infinity);
  outbox.add(connected(1), 100);
  assertEquals(outbox.due, 100);
  outbox.flush(100);
  for (const connection of [2, 3]) outbox.add(connected(connection), 104);
  assertEquals([posted, outbox.due], [[[connected(1)]], 110]);
  outbox.flush(109);
  assertEquals(posted.length, 1);
  outbox.flush(110);
  assertEquals([posted[1], outbox.due], [[connected(2), connected(3)], Infinity]);
});

Deno.test("Outbox.add() waits for nothing when there are many events or bytes", () => {
  const { outbox, posted } = newOutbox();
  outbox.add(connected(0), 0);
  outbox.flush(0);
  for (let i = 1; i <= 1024; i++) outbox.add(connected(i), 1);
  assertEquals(posted.map(({ length }) => length), [1, 1024]);
  for (let i = 0; i < 4; i++) outbox.add(echoed(32 * 1024), 2);
  assertEquals([posted.map(({ length }) => length), outbox.due], [[1, 1024, 4], Infinity]);
});

Deno.test("Outbox.wants() asks for as many of a kind as anybody wants in a second, and tells what it left out", () => {
  const { outbox, posted } = newOutbox({ echoed: 3, refused: 0 });
  for (let i = 0; i < 10; i++) {
    if (outbox.wants("echoed", i, 100)) outbox.add(echoed(100), i);
    assertEquals([outbox.wants("refused", i), outbox.wants("failed", i)], [false, true]);
  }
  assertEquals(outbox.due, 0);
  outbox.flush(5);
  assertEquals([sums(posted, "echoed"), outbox.due], [{ told: 3, omitted: 0, bytes: 0 }, 1000]);
  outbox.flush(1000);
  assertEquals(posted.at(-1), [{ type: "omitted", of: "echoed", count: 7, bytes: 700 }]);
  assertEquals([outbox.due, outbox.wants("echoed", 1000)], [Infinity, true]);
});

Deno.test("Outbox.wants() is true as soon as a rate is raised, and false once nobody wants to know", () => {
  const { outbox, posted, setRate } = newOutbox({ echoed: 0 });
  assertEquals(outbox.wants("echoed", 0, 5), false);
  setRate("echoed", Infinity);
  assertEquals(outbox.wants("echoed", 0, 5), true);
  setRate("echoed", 1);
  assertEquals([1, 2].map((now) => outbox.wants("echoed", now, 5)), [true, false]);
  setRate("echoed", 0);
  assertEquals(outbox.wants("echoed", 3, 5), false);
  // What was left out for those who wanted to know is told; what nobody wanted is not.
  outbox.end();
  assertEquals(posted, [[{ type: "omitted", of: "echoed", count: 1, bytes: 5 }]]);
});

Deno.test("Outbox accounts for every event when they come at any time, and exceeds the rate in no second of its own", () => {
  const steps = fc.array(fc.record({ wait: fc.nat(400), bytes: fc.nat(1000), flush: fc.boolean() }), {
    maxLength: 60,
    size: "max",
  });
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 5 }), (steps, rate) => {
    const { outbox, posted } = newOutbox({ echoed: rate });
    let now = 0, bytes = 0;
    const told: number[] = [];
    for (const step of steps) {
      now += step.wait;
      if (outbox.wants("echoed", now, step.bytes)) {
        told.push(now);
        outbox.add(echoed(0), now);
      } else bytes += step.bytes;
      if (step.flush) outbox.flush(now);
    }
    outbox.end();
    assertEquals(sums(posted, "echoed"), { told: told.length, omitted: steps.length - told.length, bytes });
    for (const at of told) assertEquals(told.filter((time) => time >= at && time < at + 1000).length <= 2 * rate, true);
  }));
});
