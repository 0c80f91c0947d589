import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { connectMessages, type Endpoint, type MessageConn, plainHost } from "../../../lib/transport/mod.ts";
import { type Engine, startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { engines, onEachEngine } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { python } from "../../helpers/programs.ts";
import { assertSameBytes, noise } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

/** macOS sends no larger datagrams unless it is told to: `net.inet.udp.maxdgram` and `net.local.dgram.maxdgram`. */
const mac = Deno.build.os === "darwin";

/** A kind of endpoint of datagrams. */
interface Kind {
  name: string;
  endpoint: (folder: TempFolder) => string;
  /** The size of the largest datagram. */
  largest: number;
  engine: Engine;
  about?: { ignore: boolean };
}

/** The datagram endpoints there are, each with what can serve it. */
const kinds: Kind[] = [
  ...engines.flatMap((engine): Kind[] => [
    { name: `UDP over IPv4 (${engine})`, endpoint: () => "udp://127.0.0.1:0", largest: mac ? 9216 : 65_507, engine },
    { name: `UDP over IPv6 (${engine})`, endpoint: () => "udp://[::1]:0", largest: mac ? 9216 : 65_527, engine },
  ]),
  {
    name: "a Unix socket",
    endpoint: (folder) => `unixgram://${folder.file("echo.sock")}`,
    largest: mac ? 2048 : 200_000,
    engine: "portable",
    about: unixOnly,
  },
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

for (const { name, endpoint, largest, engine, about } of kinds) {
  bounded(`startServer() answers each datagram, empty and largest ones included, when it serves ${name}`, async () => {
    using folder = new TempFolder();
    const log = new EventLog();
    await using server = await startServer({ endpoints: [endpoint(folder)], engine, subscribers: [log.add] });
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
    await using server = await startServer({ endpoints: [endpoint(folder)], engine });
    using client = await Client.of(server.endpoints[0]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000, size: "max" }), (bytes) => client.assertEchoes(bytes)),
      // All share one socket: after a mistake an echo may be that of an earlier datagram.
      { numRuns: 2000, endOnFailure: true },
    );
  }, about);

  bounded(`startServer() answers each sender when many use ${name} at once`, async () => {
    using folder = new TempFolder();
    await using server = await startServer({ endpoints: [endpoint(folder)], engine });
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      using client = await Client.of(server.endpoints[0]);
      for (let round = 0; round < 20; round++) await client.assertEchoes(noise(100, i * 100 + round));
    }));
  }, about);
}

onEachEngine("startServer() takes quit as plain data when it comes as a datagram", async (engine) => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"], engine });
  using client = await Client.of(server.endpoints[0]);
  for (const text of ["quit", "more"]) await client.assertEchoes(new TextEncoder().encode(text));
});

onEachEngine("startServer() answers both families on one port when it serves udp://[::]", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["udp://[::]:0"], engine, subscribers: [log.add] });
  const { port } = server.endpoints[0] as { port: number };
  for (const host of ["127.0.0.1", "::1"]) {
    using client = await Client.of({ transport: "udp", host, port });
    await client.assertEchoes(noise(100));
  }
  await log.nth(2, "echoed");
  const peers = log.of("echoed").map(({ peer }) => plainHost((peer as Deno.NetAddr).hostname));
  assertEquals(peers, ["127.0.0.1", "::1"]);
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

onEachEngine("startServer() serves on when UDP clients leave without taking their echo", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"], engine, subscribers: [log.add] });
  for (let i = 1; i <= 10; i++) {
    {
      using client = await Client.of(server.endpoints[0]);
      await client.send(noise(1000));
    }
    await log.nth(i, "echoed");
  }
  using client = await Client.of(server.endpoints[0]);
  await client.assertEchoes(noise(100));
  // Only native sockets can hear of it; and a client may still be there when its echo comes.
  for (const { operation, cause } of log.of("failed")) {
    assertEquals([engine, operation, cause], ["native", "send", "connection refused"]);
  }
});
