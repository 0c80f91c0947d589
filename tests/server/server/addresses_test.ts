import { assertEquals } from "@std/assert";
import { connectMessages, plainHost } from "../../../lib/transport/mod.ts";
import { type Server, startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { sendForged } from "../../helpers/raw_udp.ts";
import { assertSameBytes, noise } from "../../helpers/streams.ts";

const portOf = (server: Server) => (server.endpoints[0] as { port: number }).port;

/** A socket of datagrams of this machine's own. */
function bind(hostname: string) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

for (const workers of [1, 2]) {
  bounded(
    `startServer() answers from the address that was asked when it serves every one with ${workers} native workers`,
    async () => {
      for (
        const [every, hosts] of [
          ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "127.1.2.3"]],
          ["[::]", ["127.0.0.1", "127.0.0.2", "::1"]],
        ] as const
      ) {
        await using server = await startServer({ endpoints: [`udp://${every}:0`], engine: "native", workers });
        const port = portOf(server);
        // Several at once, so that a batch holds some of each.
        await Promise.all(
          Array.from({ length: 5 }, () => hosts).flat().map(async (hostname, i) => {
            using socket = bind(hostname.includes(":") ? "::1" : "127.0.0.1");
            for (const length of [0, 1, 65_507]) {
              const bytes = noise(length, i + 1);
              await socket.send(bytes, { transport: "udp", hostname, port });
              const [echo, from] = await socket.receive(new Uint8Array(65_536));
              assertSameBytes(echo, bytes);
              assertEquals(from as unknown, { transport: "udp", hostname, port });
            }
          }),
        );
      }
    },
    linuxOnly,
  );
}

for (const endpoint of ["udp://127.0.0.1:0", "udp://[::1]:0", "udp://[::]:0"]) {
  bounded(
    `startServer() tells whom it could not answer, and answers the others, when it serves ${endpoint} natively`,
    async () => {
      const log = new EventLog();
      await using server = await startServer({ endpoints: [endpoint], engine: "native", subscribers: [log.add] });
      const hosts = endpoint.includes("::1") ? ["::1"] : endpoint.includes("::") ? ["::1", "127.0.0.1"] : ["127.0.0.1"];
      const port = portOf(server);
      const leaving = [], staying = [];
      for (let i = 0; i < 40; i++) {
        const hostname = hosts[i % hosts.length]!;
        const socket = bind(hostname);
        const client = await connectMessages({ transport: "udp", host: hostname, port }, { timeout: 5000 });
        leaving.push(socket);
        staying.push(client);
        await socket.send(noise(i + 1), { transport: "udp", hostname, port });
        await client.send(noise(i + 1));
      }
      const gone = leaving.map(({ addr }) => `${(addr as Deno.NetAddr).hostname} ${(addr as Deno.NetAddr).port}`);
      // The worker is only just starting: they are gone before it answers.
      for (const socket of leaving) socket.close();
      for (const [i, client] of staying.entries()) {
        assertSameBytes((await client.receive(new Uint8Array(100)))!, noise(i + 1));
        client.close();
      }
      await log.nth(gone.length, "failed");
      const told = log.of("failed").map(({ operation, peer, cause }) => {
        assertEquals([operation, cause], ["send", "connection refused"]);
        const { hostname, port } = peer as Deno.NetAddr;
        return `${plainHost(hostname)} ${port}`;
      });
      assertEquals(told.sort(), gone.sort());
      assertEquals(log.of("echoed").length, 80);
    },
    linuxOnly,
  );
}

bounded(
  "startServer() refuses natively what may be forged, by the same rules, on every address it serves",
  async () => {
    for (const host of ["127.0.0.1", "0.0.0.0", "[::]"]) {
      const log = new EventLog();
      const endpoints = [[`udp://${host}:0`, `tcp://127.0.0.1:0`]];
      await using server = await startServer({ endpoints, engine: "native", workers: 2, subscribers: [log.add] });
      const port = portOf(server);
      await sendForged(port, [0, 7, 19, 53, port]);
      await log.nth(5, "refused");
      assertEquals(log.of("refused").map(({ reason }) => reason).sort(), [
        ...Array(3).fill("answering port"),
        "no return address",
        "own address",
      ]);
      assertEquals([log.of("echoed"), server.snapshot().refused], [
        [],
        { "no return address": 1, "answering port": 3, "own address": 1 },
      ]);
      using socket = bind("127.0.0.1");
      await socket.send(noise(5), { transport: "udp", hostname: "127.0.0.1", port });
      assertEquals((await socket.receive())[0], noise(5));
    }
  },
  linuxOnly,
);
