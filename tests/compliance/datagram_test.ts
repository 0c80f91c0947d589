import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describeCause, errorCode } from "../../lib/errors.ts";
import { type Address, connectMessages, type MessageConn } from "../../lib/transport/mod.ts";
import { waitAtMost } from "../../lib/wait_at_most.ts";
import { assertSameBytes, noise } from "../helpers/streams.ts";
import { within } from "../helpers/bounded.ts";
import { bounds, DatagramPair, placesOf, pythonPeer } from "./fixtures.ts";

const buffer = new Uint8Array(256 * 1024);

/** The next datagram at the server, and its sender. */
async function take(pair: DatagramPair): Promise<[Uint8Array, Address]> {
  const [datagram, from] = await pair.socket.receive(buffer);
  return [datagram.slice(), from];
}

/** Sends a message to the server and back; returns what came at each side. */
async function bounce({ client, socket }: DatagramPair, message: Uint8Array): Promise<(Uint8Array | null)[]> {
  await client.send(message);
  const [datagram, from] = await socket.receive(buffer);
  const there = datagram.slice();
  await socket.send(there, from);
  return [there, await client.receive(buffer)];
}

for (const place of placesOf("datagram")) {
  place.test("receive() gives each message as it was sent when they are of any bytes and sizes", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const size = fc.oneof(fc.nat(10), fc.nat(1500), fc.nat(Math.min(60_000, place.largest)));
    await fc.assert(
      fc.asyncProperty(size, fc.integer(), async (length, seed) => {
        const message = noise(length, seed);
        for (const got of await bounce(pair, message)) assertSameBytes(got!, message);
      }),
      { numRuns: 100 },
    );
  });

  place.test("receive() joins and splits nothing when several messages wait", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const messages = [3, 0, 1, 1400, 0, 2].map((length, i) => noise(length, i + 1));
    for (const message of messages) await pair.client.send(message);
    let peer: Address | undefined;
    for (const message of messages) {
      const [got, from] = await take(pair);
      assertEquals(got, message);
      peer = from;
    }
    for (const message of messages) await pair.socket.send(message, peer!);
    for (const message of messages) assertEquals(await pair.client.receive(buffer), message);
  });

  place.test("send() carries the largest message, and says so when one is larger", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const { client, socket } = pair;
    for (const got of await bounce(pair, noise(place.largest))) assertSameBytes(got!, noise(place.largest));
    await client.send(new Uint8Array(1));
    const [, from] = await take(pair);
    for (const send of [(bytes: Uint8Array) => client.send(bytes), (bytes: Uint8Array) => socket.send(bytes, from)]) {
      const error = await assertRejects(() => send(noise(place.largest + 1)), Error);
      assertEquals(describeCause(error), "message too long");
    }
    assertEquals(await bounce(pair, new Uint8Array([7])), [new Uint8Array([7]), new Uint8Array([7])]);
  });

  place.test("receive() loses only what does not fit when the buffer is small", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    await pair.client.send(new Uint8Array([1, 2, 3, 4]));
    await pair.client.send(new Uint8Array([5]));
    const small = new Uint8Array(2);
    assertEquals((await pair.socket.receive(small))[0], new Uint8Array([1, 2]));
    assertEquals((await pair.socket.receive(small))[0], new Uint8Array([5]));
  });

  place.test("send() keeps the order when many wait at once", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    for (let round = 0; round < 20; round++) {
      const order = Array.from({ length: 50 }, (_, i) => round * 50 + i);
      const sending = order.map((i) => pair.client.send(new Uint8Array(new Uint32Array([i]).buffer)));
      const got: number[] = [];
      while (got.length < order.length) got.push(new DataView((await take(pair))[0].buffer).getUint32(0, true));
      await Promise.all(sending);
      assertEquals(got, order);
    }
  });

  place.test("localAddr, remoteAddr and the sender's address are the endpoint's and the client's", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const { listening: { endpoint, socket }, client } = pair;
    const address = "path" in endpoint
      ? { transport: "unixpacket", path: endpoint.path }
      : { transport: "udp", hostname: endpoint.host, port: endpoint.port };
    assertEquals<unknown>([{ ...socket.addr }, { ...client.remoteAddr }], [address, address]);
    await client.send(new Uint8Array(1));
    const [, from] = await take(pair);
    // A client is bound to every address of the machine.
    const own = client.localAddr;
    if ("path" in own) assertEquals({ ...from }, { ...own });
    else assert("port" in from && "host" in endpoint && from.hostname === endpoint.host && from.port === own.port);
  });

  place.test("receive() passes over what others send when it waits for its peer's", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    await pair.client.send(new Uint8Array([1]));
    const [, from] = await take(pair);
    const endpoint = "path" in from
      ? { transport: "unixgram", path: from.path! }
      : { transport: "udp", host: from.hostname, port: from.port };
    await using stranger = pythonPeer(
      endpoint,
      `
for named in [False, True]:
    s = socket.socket(family, socket.SOCK_DGRAM)
    if named and family == socket.AF_UNIX: s.bind(address + ".other")
    s.sendto(b"I am the server", address)
`,
    );
    assertEquals(await stranger.exit(), 0, stranger.stderr.text);
    await pair.socket.send(new Uint8Array([2]), from);
    assertEquals(await pair.client.receive(buffer), new Uint8Array([2]));
  });

  place.test("send() holds up nobody when a peer does not read", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const deaf: MessageConn[] = [];
    for (const length of [3, 50_000]) {
      const client = await connectMessages(pair.listening.endpoint, bounds);
      deaf.push(client);
      for (let i = 0; i < 100; i++) {
        await client.send(new Uint8Array(Math.min(length, place.largest)));
        const [datagram, from] = await take(pair);
        // What does not find a place may be lost; that may be told or not.
        await within(1000, pair.socket.send(datagram, from)).catch((error) => assertEquals(errorCode(error), "EAGAIN"));
      }
      assertEquals(await within(3000, bounce(pair, new Uint8Array([7]))), [new Uint8Array([7]), new Uint8Array([7])]);
    }
    for (const client of deaf) client.close();
  });

  place.test("send() holds up nobody when a peer has gone", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const gone = await connectMessages(pair.listening.endpoint, bounds);
    await gone.send(new Uint8Array([1]));
    const [, from] = await take(pair);
    gone.close();
    for (let i = 0; i < 20; i++) await pair.socket.send(new Uint8Array([2]), from).catch(() => {});
    assertEquals(await bounce(pair, new Uint8Array([7])), [new Uint8Array([7]), new Uint8Array([7])]);
  });

  place.test("close() ends a receive() that waits when either side calls it", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const { client, socket } = pair;
    const receiving = [client.receive(buffer), socket.receive(buffer)];
    client.close();
    socket.close();
    for (const each of receiving) await assertRejects(() => each, Error);
    await assertRejects(() => client.receive(buffer), Error);
    await assertRejects(() => client.send(new Uint8Array(1)), Error);
    await assertRejects(() => socket.receive(buffer), Error);
    await assertRejects(() => socket.send(new Uint8Array(1), client.localAddr), Error);
  });

  place.test("close() ends every send() that waits when the server does not read", async (folder) => {
    using pair = await DatagramPair.at(place.endpoint(folder));
    const sending = Array.from({ length: 100 }, () => pair.client.send(new Uint8Array(1000)));
    const all = Promise.allSettled(sending);
    // By then they wait, where the transport waits for a peer.
    await waitAtMost(300, all);
    pair.client.close();
    await within(1000, all);
  });

  place.test("listen() can have the endpoint again when the socket was closed just now", async (folder) => {
    const first = await DatagramPair.at(place.endpoint(folder));
    const receiving = first.socket.receive(buffer).catch(() => {});
    first[Symbol.dispose]();
    await receiving;
    using second = await DatagramPair.at(first.listening.endpoint);
    assertEquals(await bounce(second, new Uint8Array([7])), [new Uint8Array([7]), new Uint8Array([7])]);
  });
}
