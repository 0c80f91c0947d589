import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { connectMessages, type Endpoint, formatHostPort, type MessageConn } from "../../../lib/transport/mod.ts";
import { startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { python } from "../../helpers/programs.ts";
import { assertSameBytes, noise } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

/** macOS sends no larger datagrams unless it is told to: `net.inet.udp.maxdgram` and `net.local.dgram.maxdgram`. */
const mac = Deno.build.os === "darwin";

/** The datagram endpoints there are, and the size of the largest datagram of each. */
const kinds: [name: string, endpoint: (folder: TempFolder) => string, largest: number, about?: { ignore: boolean }][] =
  [
    ["UDP over IPv4", () => "udp://127.0.0.1:0", mac ? 9216 : 65_507],
    ["UDP over IPv6", () => "udp://[::1]:0", mac ? 9216 : 65_527],
    ["a Unix socket", (folder) => `unixgram://${folder.file("echo.sock")}`, mac ? 2048 : 200_000, unixOnly],
  ];

/** A client of one server. */
class Client implements Disposable {
  #buffer = new Uint8Array(256 * 1024);
  #conn: MessageConn;

  private constructor(conn: MessageConn) {
    this.#conn = conn;
  }

  static async of(endpoint: Endpoint | undefined): Promise<Client> {
    assert(endpoint !== undefined);
    return new Client(await connectMessages(endpoint, { timeout: 5000 }));
  }

  async send(datagram: Uint8Array): Promise<void> {
    await this.#conn.send(datagram);
  }

  async receive(): Promise<Uint8Array> {
    const datagram = await this.#conn.receive(this.#buffer);
    assert(datagram !== null);
    return datagram;
  }

  async assertEchoes(datagram: Uint8Array): Promise<void> {
    await this.send(datagram);
    assertSameBytes(await this.receive(), datagram);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

for (const [name, endpoint, largest, about] of kinds) {
  bounded(`startServer() answers each datagram, empty and largest ones included, when it serves ${name}`, async () => {
    using folder = new TempFolder();
    const log = new EventLog();
    await using server = await startServer({ endpoints: [endpoint(folder)], subscribers: [log.add] });
    using client = await Client.of(server.endpoints[0]);
    const lengths = [0, 1, 1472, 1473, 0, largest];
    for (const length of lengths) await client.assertEchoes(noise(length));
    await log.nth(lengths.length, "echoed");
    assertEquals(log.of("echoed").map(({ message, connection }) => [message.length, connection]), [
      ...lengths.map((length) => [length, undefined] as [number, undefined]),
    ]);
  }, about);

  bounded(`startServer() sends back just what came when datagrams are random and it serves ${name}`, async () => {
    using folder = new TempFolder();
    await using server = await startServer({ endpoints: [endpoint(folder)] });
    using client = await Client.of(server.endpoints[0]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000, size: "max" }), (bytes) => client.assertEchoes(bytes)),
      // All share one socket: after a mistake an echo may be that of an earlier datagram.
      { numRuns: 2000, endOnFailure: true },
    );
  }, about);

  bounded(`startServer() answers each sender when many use ${name} at once`, async () => {
    using folder = new TempFolder();
    await using server = await startServer({ endpoints: [endpoint(folder)] });
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      using client = await Client.of(server.endpoints[0]);
      for (let round = 0; round < 20; round++) await client.assertEchoes(noise(100, i * 100 + round));
    }));
  }, about);
}

bounded("startServer() takes quit as plain data when it comes as a datagram", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  using client = await Client.of(server.endpoints[0]);
  for (const text of ["quit", "more"]) await client.assertEchoes(new TextEncoder().encode(text));
});

bounded("startServer() answers both families on one port when it serves udp://[::]", async () => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["udp://[::]:0"], subscribers: [log.add] });
  const { port } = server.endpoints[0] as { port: number };
  for (const host of ["127.0.0.1", "::1"]) {
    using client = await Client.of({ transport: "udp", host, port });
    await client.assertEchoes(noise(100));
  }
  const peers = log.of("echoed").map(({ peer }) => formatHostPort((peer as Deno.NetAddr).hostname, 0));
  assertEquals(peers.length, 2);
});

bounded("startServer() counts and tells it, and serves on, when a datagram's sender has no address", async () => {
  using folder = new TempFolder();
  const log = new EventLog();
  const path = folder.file("echo.sock");
  await using server = await startServer({ endpoints: [`unixgram://${path}`], subscribers: [log.add] });
  const { code, stderr } = await python(
    "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'hello', sys.argv[1])",
    path,
  );
  assertEquals([code, stderr], [0, ""]);
  const { reason, endpoint } = await log.nth(1, "refused");
  assertEquals([reason, endpoint], ["no return address", server.endpoints[0]]);
  using client = await Client.of(server.endpoints[0]);
  await client.assertEchoes(noise(100));
  assertEquals([log.of("echoed").length, log.of("refused").length, log.of("failed").length], [1, 1, 0]);
  assertEquals(server.snapshot().refused, { "no return address": 1 });
}, unixOnly);

bounded("startServer() tells whom it could not answer and serves on when a datagram's sender has gone", async () => {
  using folder = new TempFolder();
  const log = new EventLog();
  const [path, gone] = [folder.file("echo.sock"), folder.file("gone.sock")];
  await using server = await startServer({ endpoints: [`unixgram://${path}`], subscribers: [log.add] });
  const { code, stderr } = await python(
    `
import os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2])
os.unlink(sys.argv[2])
s.sendto(b"hello", sys.argv[1])`,
    path,
    gone,
  );
  assertEquals([code, stderr], [0, ""]);
  const { operation, peer, cause } = await log.nth(1, "failed");
  assertEquals<unknown>([operation, (peer as { path: string }).path, cause], [
    "send",
    gone,
    "no such file or directory",
  ]);
  using client = await Client.of(server.endpoints[0]);
  await client.assertEchoes(noise(100));
}, unixOnly);

bounded("startServer() serves on when UDP clients leave without taking their echo", async () => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"], subscribers: [log.add] });
  for (let i = 1; i <= 10; i++) {
    {
      using client = await Client.of(server.endpoints[0]);
      await client.send(noise(1000));
    }
    await log.nth(i, "echoed");
  }
  using client = await Client.of(server.endpoints[0]);
  await client.assertEchoes(noise(100));
  assertEquals(log.of("failed"), []);
});
