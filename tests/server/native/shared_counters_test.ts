import { assertEquals } from "@std/assert";
import { LIMITED } from "../../../server/events.ts";
import { COUNTED, REFUSALS, SharedCounters } from "../../../server/native/shared_counters.ts";

/** The counters as each of two workers and the main thread see them. */
function seenByThree() {
  const main = new SharedCounters(2);
  return { main, workers: [0, 1].map(() => new SharedCounters(2, main.memory)) };
}

Deno.test("SharedCounters.sums has what all workers count, by what it is", () => {
  const { main, workers } = seenByThree();
  const last = COUNTED.refused + REFUSALS.length - 1;
  for (const [number, counters] of workers.entries()) {
    const row = counters.row(number);
    row[COUNTED.connections]! += 1;
    row[COUNTED.bytes]! += 2 ** 40;
    row[last]! += 5;
  }
  const { sums } = main;
  assertEquals(sums.length, last + 1);
  assertEquals(sums.map((sum, index) => [index, sum]).filter(([, sum]) => sum !== 0), [
    [COUNTED.connections, 2],
    [COUNTED.bytes, 2 ** 41],
    [last, 10],
  ]);
});

Deno.test("SharedCounters.nextConnection() gives each connection of the server its number, in any thread", () => {
  const { main, workers } = seenByThree();
  const threads = [main, ...workers, main];
  assertEquals(threads.map((counters) => counters.nextConnection()), [1, 2, 3, 4]);
});

Deno.test("SharedCounters.nextConnection() goes on counting beyond 32 bits", () => {
  const { main, workers } = seenByThree();
  main.nextConnection();
  // The only byte that is not 0 is the lowest of the number so far.
  const bytes = new Uint8Array(main.memory);
  const at = bytes.findIndex((byte) => byte !== 0);
  for (const [top, first] of [[0x7f, 2 ** 31], [0xff, 2 ** 32]] as const) {
    bytes.set([0xff, 0xff, 0xff, top], at);
    assertEquals([main, workers[1]!].map((counters) => counters.nextConnection()), [first, first + 1]);
    bytes.fill(0, at);
  }
  assertEquals(main.claimFirst(), true);
});

Deno.test("SharedCounters.claimFirst() is true once, in any thread", () => {
  const { main, workers } = seenByThree();
  assertEquals([workers[1]!, main, workers[0]!].map((counters) => counters.claimFirst()), [true, false, false]);
});

Deno.test("SharedCounters.setRates() is seen by every thread at once, and is none of the counts", () => {
  const { main, workers } = seenByThree();
  main.setRates({ connected: 1, echoed: Infinity, disconnected: 0, refused: 5, failed: 0.5 });
  for (const { rates } of workers) {
    assertEquals(LIMITED.map((kind, index) => [kind, rates[index]]), [
      ["connected", 1],
      ["echoed", Infinity],
      ["disconnected", 0],
      ["refused", 5],
      ["failed", 0.5],
    ]);
  }
  assertEquals([new Set(main.sums), main.claimFirst()], [new Set([0]), true]);
});

for (const [wanted, echoed, most] of [["some", 20, 16], ["all", Infinity, 2]] as const) {
  Deno.test(`SharedCounters.sent() waits while a worker is too far ahead, until messages are taken, when ${wanted} are wanted`, () => {
    const { main, workers } = seenByThree();
    main.setRates({ connected: 0, echoed, disconnected: 0, refused: 0, failed: 0 });
    const worker = workers[0]!;
    for (let i = 1; i < most; i++) worker.sent(0);
    // One worker does not wait for what another has sent.
    workers[1]!.sent(1);
    const before = performance.now();
    worker.sent(0);
    const waited = performance.now() - before;
    for (let i = 0; i < most; i++) main.taken(0);
    const again = performance.now();
    worker.sent(0);
    assertEquals([waited >= 900, performance.now() - again < 900], [true, true]);
  });
}

Deno.test("SharedCounters.restart() forgets what was on its way in a worker, and nothing else", () => {
  const { main, workers } = seenByThree();
  const row = workers[0]!.row(0);
  row.fill(3);
  workers[1]!.row(1).fill(1);
  for (let i = 0; i < 15; i++) workers[0]!.sent(0);
  main.restart(0);
  assertEquals(main.sums.map((sum, index) => [index, sum]).filter(([, sum]) => sum !== 4), [[COUNTED.open, 1]]);
  const before = performance.now();
  workers[0]!.sent(0);
  assertEquals(performance.now() - before < 900, true);
});
