import { assertEquals } from "@std/assert";
import { BackOff } from "../../lib/back_off.ts";
import { ManualTimers } from "../helpers/manual_timers.ts";

/** How long the next pause is. */
async function pause(timers: ManualTimers, backOff: BackOff): Promise<number> {
  let over = false;
  const waiting = backOff.wait(new AbortController().signal).then(() => over = true);
  let waited = 0;
  for (; !over; waited++) {
    timers.advance(1);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
  await waiting;
  return waited;
}

Deno.test("BackOff.wait() waits twice as long each time, up to the most", async () => {
  using timers = new ManualTimers();
  const backOff = new BackOff(5, 30);
  const pauses = [];
  for (let i = 0; i < 5; i++) pauses.push(await pause(timers, backOff));
  assertEquals(pauses, [5, 10, 20, 30, 30]);
});

Deno.test("BackOff.reset() begins with the first pause again", async () => {
  using timers = new ManualTimers();
  const backOff = new BackOff(5, 30);
  const pauses = [await pause(timers, backOff), await pause(timers, backOff)];
  backOff.reset();
  pauses.push(await pause(timers, backOff));
  assertEquals(pauses, [5, 10, 5]);
});

Deno.test("BackOff.wait() ends at once, without a failure and without a timer, when its signal is aborted", async () => {
  using timers = new ManualTimers();
  const controller = new AbortController();
  const backOff = new BackOff(5, 30);
  const waiting = backOff.wait(controller.signal);
  controller.abort();
  await waiting;
  await backOff.wait(controller.signal);
  assertEquals(timers.pending, 0);
});
