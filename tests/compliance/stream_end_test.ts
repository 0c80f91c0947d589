import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describeCause } from "../../lib/errors.ts";
import { connectStream, listen, type StreamConn } from "../../lib/transport/mod.ts";
import { noise, readBytes, readToEnd, writeAll } from "../helpers/streams.ts";
import { bounds, placesOf, pythonPeer, StreamPair } from "./fixtures.ts";

/** What a connection tells of a peer that has broken it, in words. */
const BROKEN = ["connection reset by the peer", "connection closed by the peer"];

/** How writing ends once the peer has broken the connection; the first write may not know it yet. */
async function writeUntilBroken(conn: StreamConn): Promise<string> {
  try {
    while (true) await conn.write(noise(100_000));
  } catch (error) {
    return describeCause(error);
  }
}

for (const place of placesOf("stream")) {
  place.test("read() and write() say so when the peer resets the connection", async (folder) => {
    const listening = await listen(place.endpoint(folder));
    assert(listening.kind === "stream");
    // What it leaves unread makes the close of a Unix socket a reset, too.
    await using peer = pythonPeer(
      listening.endpoint,
      `
for _ in range(2):
    s = socket.socket(family)
    s.connect(address)
    s.sendall(b"x")
    s.recv(1)
    die(s)
`,
    );
    const said: string[] = [];
    for (const operation of ["read", "write"]) {
      const conn = await listening.listener.accept();
      await readBytes(conn, 1);
      await writeAll(conn, new Uint8Array(1000));
      const broken = operation === "write"
        ? writeUntilBroken(conn)
        : assertRejects(() => readToEnd(conn), Error).then(describeCause);
      said.push(await broken);
      conn.close();
    }
    assertEquals(said.filter((text) => !BROKEN.includes(text)), []);
    assertEquals(await peer.exit(), 0, peer.stderr.text);
    listening.listener.close();
  });

  place.test("read() and a waiting write() end when the peer is killed", async (folder) => {
    const listening = await listen(place.endpoint(folder));
    assert(listening.kind === "stream");
    await using peer = pythonPeer(
      listening.endpoint,
      `
s = socket.socket(family)
s.connect(address)
time.sleep(60)
`,
    );
    const conn = await listening.listener.accept();
    const writing = writeUntilBroken(conn);
    const reading = conn.read(new Uint8Array(9)).catch(describeCause);
    peer.kill("SIGKILL");
    assert(BROKEN.includes(await writing));
    assert([null, ...BROKEN].includes(await reading as string | null));
    conn.close();
    listening.listener.close();
  });

  place.test("close() ends a read() that waits when either side calls it", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await StreamPair.at(place.endpoint(folder));
      const [closer, other] = pair.ways[way]!;
      const reading = closer.read(new Uint8Array(9));
      const otherReading = other.read(new Uint8Array(9));
      closer.close();
      await assertRejects(() => reading, Error);
      assertEquals(await otherReading, null);
      await assertRejects(() => closer.read(new Uint8Array(9)), Error);
      await assertRejects(() => closer.write(new Uint8Array(9)), Error);
    }
  });

  place.test("close() lets a write() that waits go no further than until the peer goes", async (folder) => {
    for (const way of [0, 1]) {
      using pair = await StreamPair.at(place.endpoint(folder));
      const [writer, other] = pair.ways[way]!;
      const writing = writeUntilBroken(writer);
      await readBytes(other, 1_000_000);
      writer.close();
      other.close();
      await writing;
    }
  });

  place.test("close() of the listener ends accept() and leaves what was accepted alone", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const { client, server, listening } = pair;
    const accepting = listening.listener.accept();
    listening.listener.close();
    await assertRejects(() => accepting, Error);
    await writeAll(client, new Uint8Array([1, 2, 3]));
    assertEquals(await readBytes(server, 3), new Uint8Array([1, 2, 3]));
    await assertRejects(() => connectStream(listening.endpoint, bounds), Error);
  });

  place.test("listen() can have the endpoint again when the listener was closed just now", async (folder) => {
    const first = await listen(place.endpoint(folder));
    assert(first.kind === "stream");
    const accepting = first.listener.accept().catch(() => {});
    first.listener.close();
    await accepting;
    using pair = await StreamPair.at(first.endpoint);
    assertEquals(pair.listening.endpoint, first.endpoint);
  });

  place.test("localAddr and remoteAddr are the endpoint's and each other's when connected", async (folder) => {
    using pair = await StreamPair.at(place.endpoint(folder));
    const { listening: { endpoint, listener }, client, server } = pair;
    const address = "path" in endpoint
      ? { transport: "unix", path: endpoint.path }
      : { transport: "tcp", hostname: endpoint.host, port: endpoint.port };
    const addresses = [listener.addr, server.localAddr, client.remoteAddr];
    assertEquals<unknown>(addresses.map((each) => ({ ...each })), [address, address, address]);
    assertEquals({ ...server.remoteAddr }, { ...client.localAddr });
    if ("port" in endpoint) assertNotEquals(endpoint.port, 0);
  });
}
