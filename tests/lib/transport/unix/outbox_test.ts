import { assert, assertEquals, assertThrows } from "@std/assert";
import { Outbox } from "../../../../lib/transport/unix/outbox.ts";
import { bounded } from "../../../helpers/bounded.ts";
import { systemError } from "../../../helpers/errors.ts";

/** Peers whose queues hold what a test says. */
class Peers {
  readonly got: Record<string, number[]> = {};
  readonly places: Record<string, number> = {};
  /** How many places there are for all together; and what becomes of them when there is none. */
  all = Infinity;
  unclog = () => {};
  readonly outbox = new Outbox({
    send: (bytes, path) => {
      if (path === "gone") throw systemError("ECONNREFUSED");
      if (this.all === 0 || (this.places[path] ??= 0) === 0) return false;
      this.places[path]!--;
      this.all--;
      (this.got[path] ??= []).push(bytes[0]!);
      return true;
    },
    isClogged: () => this.all === 0,
    unclog: () => this.unclog(),
  });

  send(path: string, ...values: number[]): boolean[] {
    return values.map((value) => {
      const bytes = new Uint8Array([value]);
      const sent = this.outbox.send(bytes, path);
      bytes[0] = 255;
      return sent;
    });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

bounded("send() keeps what finds no place, and its order, when the peer reads later", async () => {
  const peers = new Peers();
  peers.places.slow = 2;
  assertEquals(peers.send("slow", 1, 2, 3, 4), [true, true, true, true]);
  assertEquals(peers.got.slow, [1, 2]);
  peers.places.slow = 3;
  assertEquals(peers.send("slow", 5, 6), [true, true], "behind those that wait");
  await peers.until(() => peers.got.slow!.length === 5);
  peers.places.slow = 9;
  await peers.until(() => peers.got.slow!.length === 6);
  assertEquals(peers.got.slow, [1, 2, 3, 4, 5, 6]);
  assertEquals(peers.send("slow", 7), [true]);
  assertEquals(peers.got.slow!.at(-1), 7, "at once again");
});

Deno.test("send() reaches others at once when one peer does not read", () => {
  const peers = new Peers();
  peers.send("deaf", 1);
  peers.places.other = 2;
  assertEquals(peers.send("other", 1, 2), [true, true]);
  assertEquals(peers.got.other, [1, 2]);
  peers.outbox.close();
});

bounded("send() refuses more than a peer's share when it does not read, and others have theirs", async () => {
  const peers = new Peers();
  const large = new Uint8Array(50_000);
  const kept = (path: string) =>
    Array.from({ length: 10 }, () => peers.outbox.send(large, path)).filter(Boolean).length;
  const names = Array.from({ length: 100 }, (_, i) => `peer ${i}`);
  // Who comes later is owed less, and takes the room of who is owed most.
  assertEquals(names.map(kept), names.map(() => 5));
  for (const name of names) peers.places[name] = 10;
  await peers.until(() => peers.got["peer 99"]?.length === 5);
  const all = names.map((name) => peers.got[name]?.length ?? 0).reduce((sum, count) => sum + count);
  assert(all > 60 && all < 85, `${all} of 4 MiB`);
  peers.outbox.close();
});

bounded(
  "send() reaches a peer that reads before those that are owed much when these have clogged the socket",
  async () => {
    const peers = new Peers();
    peers.all = 0;
    const large = new Uint8Array(50_000);
    for (let i = 0; i < 100; i++) {
      peers.places[`deaf ${i}`] = 1000;
      for (let j = 0; j < 5; j++) peers.outbox.send(large, `deaf ${i}`);
    }
    peers.places.reads = 1;
    assertEquals(peers.send("reads", 7), [true]);
    const { promise: unclogged, resolve } = Promise.withResolvers<void>();
    peers.unclog = () => {
      peers.all = 1;
      resolve();
    };
    await unclogged;
    await peers.until(() => peers.all === 0);
    assertEquals(peers.got, { reads: [7] });
    peers.outbox.close();
  },
);

bounded("send() waits again for a peer that has read nothing when now it is the socket that has no place", async () => {
  const peers = new Peers();
  peers.send("slow", 1);
  await peers.until(() => peers.send("slow", 2)[0] === false);
  peers.all = 0;
  peers.places.slow = 2;
  assertEquals(peers.send("slow", 3), [true]);
  peers.unclog = () => peers.all = 1;
  await peers.until(() => peers.got.slow?.length === 1);
  assertEquals(peers.got.slow, [3]);
});

bounded("send() refuses at once when the peer has read nothing for a second, until it reads", async () => {
  const peers = new Peers();
  assertEquals(peers.send("deaf", 1, 2), [true, true]);
  await peers.until(() => peers.send("deaf", 3)[0] === false);
  peers.places.deaf = 1;
  assertEquals(peers.send("deaf", 4), [true]);
  assertEquals(peers.got.deaf, [4]);
  assertEquals(peers.send("deaf", 5), [true], "it is waited for again");
  peers.outbox.close();
});

bounded("send() tells why a peer cannot be sent to, and forgets what waits when it goes later", async () => {
  const peers = new Peers();
  assertThrows(() => peers.send("gone", 1), Error, "ECONNREFUSED");
  let there = false;
  const sent: number[] = [];
  const outbox = new Outbox({
    send: (bytes) => {
      if (there && bytes[0] === 1) throw systemError("ECONNREFUSED");
      if (there) sent.push(bytes[0]!);
      return there;
    },
    isClogged: () => false,
    unclog: () => {},
  });
  assertEquals([outbox.send(new Uint8Array([1]), "a"), outbox.send(new Uint8Array([2]), "a")], [true, true]);
  there = true;
  await peers.until(() => sent.length > 0);
  assertEquals(sent, [2]);
});
