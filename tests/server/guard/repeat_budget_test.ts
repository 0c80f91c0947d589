import { assert, assertEquals } from "@std/assert";
import { RepeatBudget, type RepeatBudgetOptions } from "../../../server/guard/repeat_budget.ts";

/** A budget with a clock that a test moves. */
function budgetOf(options: RepeatBudgetOptions = {}) {
  const clock = { now: 5000 };
  const budget = new RepeatBudget({ repeats: 10, pause: 1000, now: () => clock.now, ...options });
  return { budget, clock };
}

/** How many of so many datagrams are within the budget. */
function taken(count: number, take: (i: number) => boolean): number {
  let within = 0;
  for (let i = 0; i < count; i++) if (take(i)) within++;
  return within;
}

const bytes = (...bytes: number[]) => Uint8Array.from(bytes);
/** A datagram of a number, with the same bytes around it. */
const numbered = (number: number) => bytes(1, 2, 3, number, number >> 8, number >> 16, 4, 5);

Deno.test("RepeatBudget.take() refuses a sender for a while when it has repeated itself too often", () => {
  const { budget, clock } = budgetOf();
  const take = () => budget.take(bytes(1, 2, 3), "127.0.0.1", 4000);
  // The first is no repetition.
  assertEquals(taken(100, take), 11);
  clock.now += 999;
  assertEquals(take(), false);
  // What it sent meanwhile does not make it longer.
  clock.now += 1;
  assertEquals(taken(100, take), 10);
});

Deno.test("RepeatBudget.take() gives a full budget again when a sender has paused by itself", () => {
  const { budget, clock } = budgetOf();
  const take = () => budget.take(bytes(1, 2, 3), "127.0.0.1", 4000);
  assertEquals(taken(10, take), 10);
  clock.now += 1000;
  assertEquals(taken(100, take), 10);
});

Deno.test("RepeatBudget.take() never refuses a sender that repeats itself once in a pause, however long", () => {
  const { budget, clock } = budgetOf();
  assertEquals(
    taken(1000, () => {
      clock.now += 1000;
      return budget.take(bytes(1), "127.0.0.1", 4000);
    }),
    1000,
  );
});

Deno.test("RepeatBudget.take() refuses whatever else a sender sends when its budget is spent", () => {
  const { budget, clock } = budgetOf();
  taken(100, () => budget.take(bytes(1), "127.0.0.1", 4000));
  assertEquals(taken(100, (i) => budget.take(numbered(i), "127.0.0.1", 4000)), 0);
  clock.now += 1000;
  assertEquals(taken(100, (i) => budget.take(numbered(1000 + i), "127.0.0.1", 4000)), 100);
});

Deno.test("RepeatBudget.take() takes any number of datagrams when none is like an earlier one", () => {
  const { budget } = budgetOf();
  assertEquals(taken(50_000, (i) => budget.take(numbered(i), "127.0.0.1", 4000)), 50_000);
});

Deno.test("RepeatBudget.take() takes datagrams for the same when they are, and not when length, beginning or end differ", () => {
  // The budget is one repetition: where the second was one, it is spent.
  const same = (first: Uint8Array, second: Uint8Array) => {
    const { budget } = budgetOf({ repeats: 1 });
    const take = (datagram: Uint8Array) => budget.take(datagram, "127.0.0.1", 4000);
    assertEquals([take(first), take(second)], [true, true]);
    return !take(numbered(99));
  };
  const datagrams = [
    bytes(),
    bytes(0),
    bytes(0, 0),
    new Uint8Array(65_507),
    new Uint8Array(65_507).fill(1, 15, 16),
    new Uint8Array(65_507).fill(1, 65_491, 65_492),
    new Uint8Array(65_507).fill(1, 65_506),
  ];
  for (const [i, first] of datagrams.entries()) {
    for (const [j, second] of datagrams.entries()) assertEquals([i, j, same(first, second)], [i, j, i === j]);
  }
});

Deno.test("RepeatBudget.take() takes a datagram for no repetition when another sender has sent it", () => {
  const { budget } = budgetOf({ repeats: 1 });
  const senders = [["127.0.0.1", 4000], ["127.0.0.1", 4001], ["127.0.0.2", 4000], ["/run/a.sock"]] as const;
  for (const [host, port] of senders) assertEquals(budget.take(bytes(1), host, port), true);
  for (const [host, port] of senders) assertEquals(budget.take(bytes(2), host, port), true);
});

Deno.test("RepeatBudget.take() holds each sender to a budget of its own", () => {
  const { budget } = budgetOf();
  // Of so few, none share one but by a rare chance.
  const senders = [4000, 4001, 4002];
  const within = senders.map((port) => taken(100, () => budget.take(bytes(1, 2, 3), "127.0.0.1", port)));
  assert(within.filter((count) => count === 11).length >= 2, `${within}`);
});

/**
 * Two servers that answer each other: each round, each of the datagrams that go round comes in once. Returns how many
 * came in until none was left.
 */
function loop(budget: RepeatBudget, clock: { now: number }, datagrams: Uint8Array[], roundTrip: number): number {
  let rounds = 0, count = 0;
  while (datagrams.length > 0) {
    assert(++rounds < 100_000, `${datagrams.length} datagrams go round for ever`);
    clock.now += roundTrip;
    count += datagrams.length;
    datagrams = datagrams.filter((datagram) => budget.take(datagram, "192.0.2.1", 7777));
  }
  return count;
}

for (const roundTrip of [0.07, 1, 300, 999]) {
  for (const inFlight of [1, 16, 300]) {
    Deno.test(`RepeatBudget.take() ends a loop of ${inFlight} different datagrams when a round takes ${roundTrip} ms`, () => {
      const { budget, clock } = budgetOf({ repeats: 1000 });
      const datagrams = Array.from({ length: inFlight }, (_, i) => numbered(i));
      const count = loop(budget, clock, datagrams, roundTrip);
      assert(count <= 1000 + 2 * inFlight + 300, `only after ${count} datagrams`);
    });
  }
}

Deno.test("RepeatBudget.take() drops nothing of seconds of constant load, and ends a loop in as many, by default", () => {
  const clock = { now: 5000 };
  const budget = new RepeatBudget({ now: () => clock.now });
  const payload = new Uint8Array(64).fill(0x78);
  // Eight sockets, 25,000 datagrams a second each, for six seconds.
  const load = taken(8 * 25_000 * 6, (i) => {
    if (i % 200 === 0) clock.now += 1;
    return budget.take(payload, "127.0.0.1", 40_000 + i % 8);
  });
  assertEquals(load, 8 * 25_000 * 6);
  const rounds = loopOf(budget, clock, payload);
  assert(rounds <= 200_001, `${rounds} rounds`);
});

function loopOf(budget: RepeatBudget, clock: { now: number }, datagram: Uint8Array): number {
  for (let rounds = 0;; rounds++) {
    clock.now += 1 / 15;
    if (!budget.take(datagram, "192.0.2.1", 7777)) return rounds;
  }
}
