import { assert, assertEquals } from "@std/assert";
import { drain, type Drainable } from "../../server/drain.ts";
import { bounded } from "../helpers/bounded.ts";
import { ManualTimers } from "../helpers/manual_timers.ts";

/** Something that is served until it is ended. */
interface Served extends Drainable {
  busy: boolean;
  messages?: number;
}

/** Drains what is given; `look` lets the time of one look pass and returns what was ended by then. */
function start(served: Served[], grace = 3_600_000) {
  const timers = new ManualTimers();
  const ended: Served[] = [];
  const left = () => served.filter((each) => !ended.includes(each));
  const draining = drain(left, (each) => ended.push(each), grace);
  const look = async () => {
    timers.advance(25);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return ended.map((each) => served.indexOf(each));
  };
  return { draining, look, ended, timers };
}

Deno.test("drain() is done at once when nothing is left", async () => {
  const { draining, timers } = start([]);
  using _ = timers;
  await draining;
  assertEquals(timers.pending, 0);
});

Deno.test("drain() ends what has gone quiet at the third look, and not what is busy or goes on", async () => {
  const [idle, busy, talking] = [{ busy: false, messages: 5 }, { busy: true, messages: 5 }, {
    busy: false,
    messages: 0,
  }];
  const { draining, look, timers } = start([idle, busy, talking]);
  using _ = timers;
  talking.messages++;
  assertEquals(await look(), []);
  talking.messages++;
  assertEquals(await look(), [0]);
  busy.busy = false;
  assertEquals(await look(), [0]);
  assertEquals(await look(), [0, 1, 2]);
  await look();
  await draining;
  assertEquals(timers.pending, 0);
});

Deno.test("drain() begins anew when something comes after a quiet look", async () => {
  const served: Served = { busy: false, messages: 0 };
  const { draining, look, timers } = start([served]);
  using _ = timers;
  await look();
  served.messages!++;
  assertEquals([await look(), await look(), await look()], [[], [], [0]]);
  await look();
  await draining;
});

Deno.test("drain() ends a socket of datagrams whatever still comes, once it is not busy", async () => {
  const socket: Served = { busy: true };
  const { draining, look, timers } = start([socket]);
  using _ = timers;
  for (let i = 0; i < 10; i++) assertEquals(await look(), []);
  socket.busy = false;
  assertEquals([await look(), await look(), await look()], [[], [0], [0]]);
  await draining;
});

bounded("drain() ends all that is left when the grace time is over, and not before", async () => {
  const ended: number[] = [];
  const served: Served[] = [{ busy: true, messages: 0 }, { busy: true }];
  const startedAt = performance.now();
  await drain(
    () => ended.length > 0 ? [] : served,
    () => ended.push(performance.now() - startedAt),
    200,
  );
  assertEquals(ended.length, 2);
  for (const time of ended) assert(time >= 200, `${time} ms`);
});

Deno.test("drain() ends all at its first look when there is no grace time", async () => {
  const { draining, ended, look, timers } = start([{ busy: true, messages: 0 }, { busy: false }], 0);
  using _ = timers;
  assertEquals(ended.length, 2);
  await look();
  await draining;
});
