import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { connectStream, type StreamConn } from "../../lib/transport/mod.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import { assertEchoes, assertSameBytes, noise, readBytes, readToEnd, writeAll } from "../helpers/streams.ts";
import { bounds, placesOf, StreamPair } from "./fixtures.ts";

/** Writes until nothing more is taken; returns how much was, and the write that waits. */
async function fill(conn: StreamConn, bytes: Uint8Array): Promise<{ taken: number; waiting: Promise<number> }> {
  for (let taken = 0;;) {
    const waiting = conn.write(bytes.subarray(taken));
    const written = await waitAtMost(300, waiting);
    if (written === undefined) return { taken, waiting };
    taken += written;
    assert(taken < bytes.length, "the other side reads nothing, yet all is taken");
  }
}

for (const place of placesOf("stream")) {
  place.test("read() gives every byte as it was when all values are written, either way", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const [from, to] of pair.ways) {
      await writeAll(from, all);
      assertEquals(await readBytes(to, all.length), all);
    }
  });

  place.test("read() gives the same bytes when a short message is cut anywhere", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const message = new TextEncoder().encode("메아리\r\nquit\n");
    for (const [from, to] of pair.ways) {
      for (let cut = 0; cut <= message.length; cut++) {
        await writeAll(from, message.subarray(0, cut));
        const before = await readBytes(to, cut);
        await writeAll(from, message.subarray(cut));
        assertEquals([...before, ...await readBytes(to, message.length - cut)], [...message], `cut at ${cut}`);
      }
    }
  });

  place.test("read() gives the same bytes when they are written and read in pieces of any size", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const { client, server } = pair;
    const size = fc.oneof(fc.nat(10), fc.nat(10_000), fc.nat(200_000));
    const sizes = fc.array(size, { maxLength: 10 });
    const pieces = async (conn: StreamConn, bytes: Uint8Array, lengths: number[]) => {
      for (const length of [...lengths, bytes.length]) {
        await writeAll(conn, bytes.subarray(0, length));
        bytes = bytes.subarray(length);
      }
    };
    await fc.assert(
      fc.asyncProperty(size, sizes, size, fc.integer(), async (length, lengths, buffer, seed) => {
        const bytes = noise(length, seed);
        const got = new Uint8Array(length);
        const reading = async () => {
          for (let done = 0; done < length;) {
            const part = got.subarray(done, done + 1 + buffer);
            done += await server.read(part) ?? length;
          }
        };
        await Promise.all([reading(), pieces(client, bytes, lengths)]);
        assertSameBytes(got, bytes);
      }),
      { numRuns: 50 },
    );
  });

  place.test("closeWrite() ends one half only when either side calls it", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await StreamPair.at(place.endpoint(folder));
      const [first, second] = pair.ways[way]!;
      await writeAll(first, new Uint8Array([1, 2, 3]));
      await first.closeWrite();
      assertEquals(await readToEnd(second), new Uint8Array([1, 2, 3]));
      assertEquals(await second.read(new Uint8Array(9)), null, "the end stays the end");
      const answer = noise(100_000);
      const answering = writeAll(second, answer).then(() => second.closeWrite());
      assertSameBytes(await readToEnd(first), answer);
      await answering;
    }
  });

  place.test("read() tells the end at once when nothing was written", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    for (const [from, to] of pair.ways) {
      await from.closeWrite();
      assertEquals(await to.read(new Uint8Array(9)), null);
    }
  });

  place.test("write() sends nothing and ends nothing when there are no bytes", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    for (const [from, to] of pair.ways) {
      assertEquals(await from.write(new Uint8Array(0)), 0);
      await writeAll(from, new Uint8Array([7]));
      assertEquals(await readBytes(to, 1), new Uint8Array([7]));
    }
  });

  place.test("read() gives what was written when the other side has closed since", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const bytes = noise(50_000);
    const [got] = await Promise.all([
      readToEnd(pair.server),
      writeAll(pair.client, bytes).then(() => pair.client.close()),
    ]);
    assertSameBytes(got, bytes);
  });

  place.test("write() waits when the other side does not read, and nothing is lost once it does", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await StreamPair.at(place.endpoint(folder));
      const [from, to] = pair.ways[way]!;
      const bytes = noise(64 * 1024 * 1024);
      const { taken, waiting } = await fill(from, bytes);
      const rest = async () => {
        const written = taken + await waiting;
        const end = written + 1_000_000;
        await writeAll(from, bytes.subarray(written, end));
        await from.closeWrite();
        return end;
      };
      const [got, end] = await Promise.all([readToEnd(to), rest()]);
      assertSameBytes(got, bytes.subarray(0, end));
    }
  });

  place.test("read() and write() carry megabytes both ways at once when both sides read", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const [there, back] = [noise(8_000_000, 1), noise(8_000_000, 2)];
    const [atServer, atClient] = await Promise.all([
      readBytes(pair.server, there.length),
      readBytes(pair.client, back.length),
      writeAll(pair.client, there),
      writeAll(pair.server, back),
    ]);
    assertSameBytes(atServer, there);
    assertSameBytes(atClient, back);
  });

  place.test("accept() serves others when one does not read", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const { waiting } = await fill(pair.server, noise(64 * 1024 * 1024));
    const other = await connectStream(pair.listening.endpoint, bounds);
    const served = await pair.listening.listener.accept();
    await writeAll(served, new Uint8Array([1, 2, 3]));
    assertEquals(await readBytes(other, 3), new Uint8Array([1, 2, 3]));
    for (const conn of [other, served, pair.client]) conn.close();
    await waiting.catch(() => {});
  });

  place.test("accept() gives each client its own connection when many come at once", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const { endpoint, listener } = pair.listening;
    const echo = async () => {
      const conn = await listener.accept();
      await writeAll(conn, await readBytes(conn, 4));
      conn.close();
    };
    const ask = async (_: unknown, i: number) => {
      const conn = await connectStream(endpoint, bounds);
      await assertEchoes(conn, new Uint8Array(new Uint32Array([i]).buffer));
      conn.close();
    };
    const each = Array.from({ length: 200 }, ask);
    for (const _ of each) await echo();
    await Promise.all(each);
  });
}
