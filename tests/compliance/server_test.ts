import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { connectMessages, connectStream, type MessageConn, type StreamConn } from "../../lib/transport/mod.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import { type Engine, type Server, startServer } from "../../server/mod.ts";
import { within } from "../helpers/bounded.ts";
import { engines } from "../helpers/engines.ts";
import { assertEchoes, assertSameBytes, noise, readToEnd, writeAll } from "../helpers/streams.ts";
import { exists, type TempFolder } from "../helpers/temp_folder.ts";
import { bounds, type Place, places, placesOf, pythonPeer } from "./fixtures.ts";

/** Starts an echo server at a place that takes nothing for a command. */
async function serve(place: Place, engine: Engine, folder: TempFolder): Promise<Server> {
  return await startServer({ endpoints: [place.endpoint(folder)], engine, quit: false, grace: 10_000 });
}

/** Places, each with every engine that can serve it. */
function served(some: readonly Place[]): { place: Place; engine: Engine }[] {
  return some.flatMap((place) => {
    const able = ["tcp", "udp"].includes(place.transport) ? engines : ["portable"] as const;
    return able.map((engine) => ({ place, engine }));
  });
}

function streamTo(server: Server): Promise<StreamConn> {
  return connectStream(server.endpoints[0]!, bounds);
}

function messagesTo(server: Server): Promise<MessageConn> {
  return connectMessages(server.endpoints[0]!, bounds);
}

const buffer = new Uint8Array(256 * 1024);

/** Sends a message and checks that it comes back. */
async function assertAnswers(client: MessageConn, message: Uint8Array): Promise<void> {
  await client.send(message);
  assertSameBytes((await within(3000, client.receive(buffer)))!, message);
}

/** Sends messages until nothing more is taken, and receives none of the echoes; the send that waits, if one does. */
async function sendUnread(
  client: MessageConn,
  length = 1000,
  most = 100,
): Promise<{ unsent: Promise<void> } | undefined> {
  for (let i = 0; i < most; i++) {
    const unsent = client.send(new Uint8Array(length)).catch(() => {});
    if (await waitAtMost(500, unsent.then(() => true)) === undefined) return { unsent };
  }
}

for (const { place, engine } of served(places)) {
  place.test(`a ${engine} server stops and leaves nothing behind when nobody has come`, async (folder) => {
    const server = await serve(place, engine, folder);
    server.stop();
    await within(5000, server.finished);
    const [endpoint] = server.endpoints;
    if ("path" in endpoint!) assertEquals(exists(endpoint.path), false);
  });
}

for (const { place, engine } of served(placesOf("stream"))) {
  place.test(`a ${engine} server echoes every byte when it comes in pieces of any size`, async (folder) => {
    await using server = await serve(place, engine, folder);
    const conn = await streamTo(server);
    const size = fc.oneof(fc.nat(10), fc.nat(5000), fc.nat(300_000));
    await fc.assert(
      fc.asyncProperty(size, fc.integer(), (length, seed) => assertEchoes(conn, noise(length, seed))),
      { numRuns: 50 },
    );
    conn.close();
  });

  place.test(`a ${engine} server echoes what is under way, then ends, when the client ends its half`, async (folder) => {
    await using server = await serve(place, engine, folder);
    const conn = await streamTo(server);
    const bytes = noise(3_000_000);
    const [echo] = await Promise.all([readToEnd(conn), writeAll(conn, bytes).then(() => conn.closeWrite())]);
    assertSameBytes(echo, bytes);
    conn.close();
  });

  place.test(`a ${engine} server closes idle connections at once when it stops`, async (folder) => {
    const server = await serve(place, engine, folder);
    const conns = [await streamTo(server), await streamTo(server)];
    for (const conn of conns) await assertEchoes(conn, new Uint8Array([1, 2, 3]));
    server.stop();
    for (const conn of conns) assertEquals(await readToEnd(conn), new Uint8Array(0));
    await within(5000, server.finished);
    for (const conn of conns) conn.close();
  });

  place.test(`a ${engine} server serves others, and ends at once by kill(), when a client does not read`, async (folder) => {
    const server = await serve(place, engine, folder);
    const [deaf, other] = [await streamTo(server), await streamTo(server)];
    let stuck: Promise<number> | undefined;
    for (let taken = 0; stuck === undefined; taken += 65536) {
      const writing = deaf.write(noise(65536));
      if (await waitAtMost(300, writing) === undefined) stuck = writing;
      assert(taken < 64 * 1024 * 1024, "the server takes what it cannot echo");
    }
    await assertEchoes(other, noise(100_000));
    server.kill();
    await within(5000, server.finished);
    // Deno lets a pending write live on until the other side reads: the server's, and so ours.
    await Promise.all([readToEnd(deaf).catch(() => {}), stuck.catch(() => {})]);
    for (const conn of [deaf, other]) conn.close();
  });
}

for (const { place, engine } of served(places.filter(({ row }) => row.kind !== "stream"))) {
  place.test(`a ${engine} server echoes every message when they are of any size`, async (folder) => {
    await using server = await serve(place, engine, folder);
    const client = await messagesTo(server);
    const size = fc.oneof(fc.nat(10), fc.nat(1500), fc.nat(place.largest), fc.constant(place.largest));
    await fc.assert(
      fc.asyncProperty(size, fc.integer(), async (length, seed) => {
        const message = noise(length, seed);
        await client.send(message);
        assertSameBytes((await client.receive(buffer))!, message);
      }),
      { numRuns: 50 },
    );
    client.close();
  });
}

for (const { place, engine } of served(placesOf("message"))) {
  place.test(`a ${engine} server closes idle connections at once when it stops`, async (folder) => {
    const server = await serve(place, engine, folder);
    const clients = [await messagesTo(server), await messagesTo(server)];
    for (const client of clients) await assertAnswers(client, new Uint8Array([1, 2, 3]));
    server.stop();
    for (const client of clients) assertEquals(await client.receive(buffer), null);
    await within(5000, server.finished);
    for (const client of clients) client.close();
  });

  place.test(`a ${engine} server serves others, and ends at once by kill(), when a client does not receive`, async (folder) => {
    const server = await serve(place, engine, folder);
    const [deaf, other] = [await messagesTo(server), await messagesTo(server)];
    const stuck = await sendUnread(deaf, Math.min(200_000, place.largest), 500);
    assert(stuck !== undefined, "the server takes what it cannot echo");
    await assertAnswers(other, noise(1000));
    server.kill();
    await within(5000, server.finished);
    // Deno lets a pending write live on until the other side reads: the server's, and so ours.
    const untilEnd = async () => {
      while (await deaf.receive(buffer) !== null);
    };
    await Promise.all([untilEnd().catch(() => {}), stuck.unsent]);
    for (const client of [deaf, other]) client.close();
  });

  place.test(`a ${engine} server serves others when somebody says nothing, or nonsense`, async (folder) => {
    await using server = await serve(place, engine, folder);
    await using peer = pythonPeer(
      server.endpoints[0]!,
      `
def say(text):
    s = socket.socket(family)
    try:
        s.connect(address)
        s.sendall(text)
    except OSError: pass
    return s
silent = say(b"")
for nonsense in [b"\\0", b"GET / HTTP/1.1\\r\\n\\r\\n", bytes(range(256)) * 100, b"\\xff" * 70000]:
    say(nonsense).close()
print("done", flush=True)
sys.stdin.read()
`,
    );
    await peer.stdout.until("done");
    const client = await messagesTo(server);
    await assertAnswers(client, noise(1000));
    client.close();
  });
}

for (const { place, engine } of served(placesOf("datagram"))) {
  for (const end of ["stop", "kill"] as const) {
    place.test(`a ${engine} server serves others, and ends by ${end}(), when a client does not read`, async (folder) => {
      const server = await serve(place, engine, folder);
      const [deaf, other] = [await messagesTo(server), await messagesTo(server)];
      const stuck = await sendUnread(deaf);
      await other.send(new Uint8Array([7]));
      assertEquals(await within(3000, other.receive(buffer)), new Uint8Array([7]));
      server[end]();
      await within(5000, server.finished);
      for (const client of [deaf, other]) client.close();
      await stuck?.unsent;
    });
  }
}
