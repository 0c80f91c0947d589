import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { EndpointError } from "../../../lib/transport/mod.ts";
import { startServer } from "../../../server/mod.ts";
import { connectPing } from "../../../client/ping/connect_ping.ts";
import type { Sample } from "../../../client/ping/sample.ts";
import { bounded } from "../../helpers/bounded.ts";
import { framed } from "../../helpers/framed.ts";
import { freeTcpPort } from "../../helpers/free_port.ts";
import { fullListener } from "../../helpers/full_listener.ts";
import { ownTransport } from "../../helpers/own_transport.ts";

bounded("connectPing() measures a new connection each time", async () => {
  let connections = 0;
  await using server = await startServer({
    endpoints: ["tcp://127.0.0.1:0"],
    subscribers: [(event) => event.type === "connected" && connections++],
  });
  const samples: Sample[] = [];
  const { summary } = await connectPing(server.endpoints[0]!, {
    interval: 5,
    count: 20,
    onSample: (sample) => samples.push(sample),
  });
  assertEquals([summary.sent, summary.received, summary.lost], [20, 20, 0]);
  assert(samples.every(({ rtt_us, bytes, odd }) => rtt_us! > 0 && bytes === 0 && odd.length === 0));
  await server[Symbol.asyncDispose]();
  assertEquals(connections, 20);
});

bounded("connectPing() measures connections that carry messages, too", async () => {
  using _row = ownTransport("framed", framed);
  await using server = await startServer({ endpoints: ["framed://127.0.0.1:0"] });
  const { summary } = await connectPing(server.endpoints[0]!, { interval: 5, count: 3 });
  assertEquals([summary.sent, summary.received, summary.lost], [3, 3, 0]);
});

bounded("connectPing() refuses datagrams, for which nothing is connected", async () => {
  const pinging = connectPing({ transport: "udp", host: "127.0.0.1", port: 7 }, { count: 1 });
  await assertRejects(() => pinging, UsageError, "udp://127.0.0.1:7 has no connections");
});

bounded("connectPing() fails when no connection at all could be made, and tells of each", async () => {
  const failures: [sequence: number, cause: string][] = [];
  const pinging = connectPing({ transport: "tcp", host: "127.0.0.1", port: freeTcpPort() }, {
    interval: 1,
    count: 2,
    onFailure: (sequence, cause) => failures.push([sequence, cause]),
  });
  await assertRejects(() => pinging, EndpointError, "connection refused");
  assertEquals(failures, [[1, "connection refused"], [2, "connection refused"]]);
});

for (const way of ["its deadline", "its signal"]) {
  bounded(`connectPing() ends at ${way} while it connects`, async () => {
    await using listener = await fullListener();
    const stop = new AbortController();
    const pinging = connectPing(listener.endpoint, {
      timeout: 600_000,
      wait: 600_000,
      ...(way === "its deadline" ? { deadline: 50 } : { signal: stop.signal }),
    });
    await listener.isConnecting();
    stop.abort();
    const { summary } = await pinging;
    assertEquals([summary.sent, summary.received], [0, 0]);
  }, { ignore: Deno.build.os !== "linux" });
}
