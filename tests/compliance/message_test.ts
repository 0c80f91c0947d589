import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describeCause } from "../../lib/errors.ts";
import { connectMessages, listen, type MessageConn } from "../../lib/transport/mod.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import { within } from "../helpers/bounded.ts";
import { assertSameBytes, noise } from "../helpers/streams.ts";
import { bounds, idleClient, MessagePair, placesOf } from "./fixtures.ts";

/** The next message, or `null` at the end. */
async function take(conn: MessageConn): Promise<Uint8Array | null> {
  return (await conn.receive(new Uint8Array(256 * 1024)))?.slice() ?? null;
}

/** Sends messages until one waits; returns how many went out, and the one that waits. */
async function fill(conn: MessageConn, message: Uint8Array): Promise<{ taken: number; waiting: Promise<void> }> {
  for (let taken = 0;; taken++) {
    const waiting = conn.send(message);
    if (await waitAtMost(300, waiting.then(() => true)) === undefined) return { taken, waiting };
    assert(taken * message.length < 64 * 1024 * 1024, "the other side receives nothing, yet all is taken");
  }
}

/** How sending ends once the peer has gone; the first message may not know it yet. */
async function sendUntilBroken(conn: MessageConn): Promise<string> {
  try {
    while (true) await conn.send(noise(100_000));
  } catch (error) {
    return describeCause(error);
  }
}

for (const place of placesOf("message")) {
  place.test("receive() gives each message as it was sent when they are of any bytes and sizes", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const size = fc.oneof(fc.nat(10), fc.nat(1500), fc.nat(place.largest));
    await fc.assert(
      fc.asyncProperty(size, fc.integer(), async (length, seed) => {
        const message = noise(length, seed);
        for (const [from, to] of pair.ways) {
          const [got] = await Promise.all([take(to), from.send(message)]);
          assertSameBytes(got!, message);
        }
      }),
      { numRuns: 50 },
    );
  });

  place.test("receive() joins and splits nothing when several messages wait, empty ones included", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const messages = [3, 0, 0, 1, 1400, 0, 2].map((length, i) => noise(length, i + 1));
    for (const [from, to] of pair.ways) {
      for (const message of messages) await from.send(message);
      for (const message of messages) assertEquals(await take(to), message);
    }
  });

  place.test("send() carries the largest message, and says so when one is larger", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    for (const [from, to] of pair.ways) {
      const [got] = await Promise.all([take(to), from.send(noise(place.largest))]);
      assertSameBytes(got!, noise(place.largest));
      const error = await assertRejects(() => from.send(new Uint8Array(place.largest + 1)), Error);
      assertEquals(describeCause(error), "message too long");
      await from.send(new Uint8Array([7]));
      assertEquals(await take(to), new Uint8Array([7]));
    }
  });

  place.test("receive() loses only what does not fit when the buffer is small", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    for (const [from, to] of pair.ways) {
      for (const length of [4, 100_000, 1]) await from.send(noise(length));
      const small = new Uint8Array(2);
      for (const length of [2, 2, 1]) assertEquals(await to.receive(small), noise(length));
    }
  });

  place.test("send() keeps the order, and each message in one piece, when many wait at once", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    for (const [from, to] of pair.ways) {
      const messages = Array.from(
        { length: 300 },
        (_, i) => noise(i % 2 === 0 ? 4 : Math.min(100_000, place.largest), i),
      );
      const sending = Promise.all(messages.map((message) => from.send(message)));
      for (const message of messages) assertSameBytes((await take(to))!, message);
      await sending;
    }
  });

  place.test("send() waits when the other side does not receive, and nothing is lost once it does", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const message = noise(Math.min(200_000, place.largest));
    for (const [from, to] of pair.ways) {
      const { taken, waiting } = await fill(from, message);
      for (let i = 0; i <= taken; i++) assertSameBytes((await take(to))!, message);
      await waiting;
    }
  });

  place.test("send() and receive() carry megabytes both ways at once when both sides receive", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const message = noise(Math.min(100_000, place.largest));
    const all = async (step: () => Promise<unknown>) => {
      for (let i = 0; i < 80; i++) await step();
    };
    await Promise.all(pair.ways.flatMap(([from, to]) => [
      all(() => from.send(message)),
      all(async () => assertSameBytes((await take(to))!, message)),
    ]));
  });

  place.test("receive() gives what was sent, then the end, when the other side has closed since", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await MessagePair.at(place.endpoint(folder));
      const [from, to] = pair.ways[way]!;
      for (const length of [3, 0, 5000]) await from.send(noise(length));
      from.close();
      for (const length of [3, 0, 5000]) assertEquals(await take(to), noise(length));
      for (let i = 0; i < 2; i++) assertEquals(await take(to), null, "the end stays the end");
    }
  });

  place.test("receive() and a waiting send() end when the peer is killed", async (folder) => {
    const listening = await listen(place.endpoint(folder));
    assert(listening.kind === "message");
    await using peer = idleClient(listening.endpoint);
    const conn = await listening.listener.accept();
    await peer.stdout.until("connected");
    const { waiting } = await fill(conn, noise(Math.min(200_000, place.largest)));
    const ended = Promise.all([
      take(conn).catch(describeCause),
      waiting.then(() => sendUntilBroken(conn), describeCause),
    ]);
    peer.kill("SIGKILL");
    const [received, sent] = await ended;
    const broken = ["connection reset by the peer", "connection closed by the peer"];
    assert([null, ...broken].includes(received as string | null), `receive() ended with "${received}"`);
    assert(broken.includes(sent), `send() ended with "${sent}"`);
    conn.close();
    listening.listener.close();
  });

  place.test("close() ends a receive() that waits when either side calls it", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await MessagePair.at(place.endpoint(folder));
      const [closer, other] = pair.ways[way]!;
      const receiving = [take(closer), take(other)] as const;
      closer.close();
      await assertRejects(() => receiving[0], Error);
      assertEquals(await receiving[1], null);
      await assertRejects(() => take(closer), Error);
      await assertRejects(() => closer.send(new Uint8Array(9)), Error);
    }
  });

  place.test("close() lets a send() that waits go no further than until the peer goes", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await MessagePair.at(place.endpoint(folder));
      const [sender, other] = pair.ways[way]!;
      const { waiting } = await fill(sender, noise(Math.min(200_000, place.largest)));
      const ended = waiting.catch(() => {});
      sender.close();
      other.close();
      await within(5000, ended);
    }
  });

  place.test("accept() gives each client its own conversation when many come at once", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const { endpoint, listener } = pair.listening;
    const echo = async () => {
      const conn = await listener.accept();
      await conn.send((await take(conn))!);
      assertEquals(await take(conn), null);
      conn.close();
    };
    const ask = async (_: unknown, i: number) => {
      const conn = await connectMessages(endpoint, bounds);
      const message = new Uint8Array(new Uint32Array([i]).buffer);
      await conn.send(message);
      assertEquals(await take(conn), message);
      conn.close();
    };
    const each = Array.from({ length: 100 }, ask);
    for (const _ of each) await echo();
    await Promise.all(each);
  });

  place.test("close() of the listener ends accept() and leaves what was accepted alone", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const { client, server, listening } = pair;
    const accepting = listening.listener.accept();
    listening.listener.close();
    await assertRejects(() => accepting, Error);
    await client.send(new Uint8Array([1, 2, 3]));
    assertEquals(await take(server), new Uint8Array([1, 2, 3]));
    await assertRejects(() => connectMessages(listening.endpoint, bounds), Error);
  });

  place.test("listen() can have the endpoint again when the listener was closed just now", async (folder) => {
    const first = await listen(place.endpoint(folder));
    assert(first.kind === "message");
    const accepting = first.listener.accept().catch(() => {});
    first.listener.close();
    await accepting;
    using pair = await MessagePair.at(first.endpoint);
    assertEquals(pair.listening.endpoint, first.endpoint);
  });

  place.test("localAddr and remoteAddr are the endpoint's and each other's when connected", async (folder) => {
    using pair = await MessagePair.at(place.endpoint(folder));
    const { listening: { endpoint, listener }, client, server } = pair;
    const { transport } = listener.addr;
    const address = "path" in endpoint
      ? { transport, path: endpoint.path }
      : { transport, hostname: endpoint.host, port: endpoint.port };
    const addresses = [listener.addr, server.localAddr, client.remoteAddr];
    assertEquals<unknown>(addresses.map((each) => ({ ...each })), [address, address, address]);
    assertEquals({ ...server.remoteAddr }, { ...client.localAddr });
    if ("port" in endpoint) assertNotEquals(endpoint.port, 0);
  });
}
