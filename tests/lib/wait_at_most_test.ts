import { assertEquals, assertRejects } from "@std/assert";
import { waitAtMost } from "../../lib/wait_at_most.ts";

Deno.test("waitAtMost() returns what the promise resolves to and leaves no timer when it is in time", async () => {
  assertEquals(await waitAtMost(60_000, Promise.resolve("here")), "here");
});

Deno.test("waitAtMost() returns undefined when the time is over, and takes no notice of what comes later", async () => {
  const { promise, reject } = Promise.withResolvers<string>();
  assertEquals(await waitAtMost(1, promise), undefined);
  reject(new Error("too late"));
});

Deno.test("waitAtMost() throws what the promise rejects with and leaves no timer when it is in time", async () => {
  await assertRejects(() => waitAtMost(60_000, Promise.reject(new TypeError("no"))), TypeError, "no");
});
