import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseEndpoint } from "../../../lib/endpoint.ts";
import { MeariError, UsageError } from "../../../lib/errors.ts";
import { Server, startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly, onEachEngine } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { freeTcpPort } from "../../helpers/free_port.ts";
import { python } from "../../helpers/programs.ts";
import { assertEchoes, connect, noise } from "../../helpers/streams.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };
const TCP = "tcp://127.0.0.1:0";
const UDP = "udp://127.0.0.1:0";

bounded("startServer() replaces stale socket files when nobody listens on them", async () => {
  using folder = new TempFolder();
  const paths = [folder.file("a.sock"), folder.file("b.sock")] as const;
  const { code, stderr } = await python(
    `
socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).bind(sys.argv[1])
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[2])`,
    ...paths,
  );
  assertEquals([code, stderr, ...paths.map(exists)], [0, "", true, true]);
  const server = await startServer({ endpoints: [`unix://${paths[0]}`, `unixgram://${paths[1]}`] });
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, noise(10));
  server.stop();
  await server.finished;
}, unixOnly);

onEachEngine(
  "startServer() serves nothing and leaves nothing behind when one of its endpoints cannot be served",
  async (engine) => {
    using folder = new TempFolder();
    await using taken = await startServer({ endpoints: [TCP], engine });
    const { port } = taken.endpoints[0] as { port: number };
    const paths = [folder.file("a.sock"), folder.file("b.sock")];
    const log = new EventLog();
    const endpoints = [
      TCP,
      UDP,
      ...Deno.build.os === "windows" ? [] : [`unix://${paths[0]}`, `unixgram://${paths[1]}`],
    ];
    const error = await assertRejects(
      () => startServer({ endpoints: [...endpoints, `tcp://127.0.0.1:${port}`], engine, subscribers: [log.add] }),
      MeariError,
    );
    assertEquals(
      error.message,
      `cannot listen on tcp://127.0.0.1:${port}: address already in use`,
    );
    assertEquals([error.exitCode, log.all, ...paths.map(exists)], [1, [], false, false]);
  },
);

bounded("Server.start() waits for a name no longer when the server is told to stop", async () => {
  const log = new EventLog();
  const server = new Server({ endpoints: ["tcp://localhost:0"], engine: "native", subscribers: [log.add] });
  const starting = server.start();
  server.stop();
  await starting;
  assertEquals([(await server.finished).connections, log.all], [0, []]);
  // The system's resolver cannot be told to leave off.
}, { ...linuxOnly, sanitizeOps: false });

bounded("startServer() refuses an endpoint that is none when it is given one as text", async () => {
  await assertRejects(() => startServer({ endpoints: ["tcp://127.0.0.1:0?loud"] }), UsageError, "there is no-quit");
});

onEachEngine("startServer() names the port that the kernel chose when it is asked for port 0", async (engine) => {
  const log = new EventLog();
  await using server = await startServer({ endpoints: [TCP, UDP], engine, subscribers: [log.add] });
  for (const endpoint of server.endpoints) assert((endpoint as { port: number }).port > 0);
  assertEquals(log.of("listening").map(({ endpoint }) => endpoint), [...server.endpoints]);
});

onEachEngine("startServer() gives those of a group one port when they ask for any", async (engine) => {
  await using server = await startServer({ endpoints: [[TCP, UDP], TCP], engine });
  const [tcp, udp, other] = server.endpoints.map((endpoint) => (endpoint as { port: number }).port);
  assertEquals([tcp === udp, tcp === other], [true, false]);
});

bounded("new Server() starts nothing", async () => {
  const log = new EventLog();
  const port = freeTcpPort();
  const server = new Server({ endpoints: [`tcp://127.0.0.1:${port}`], subscribers: [log.add] });
  await assertRejects(() => connect(parseEndpoint(`tcp://127.0.0.1:${port}`)), Deno.errors.ConnectionRefused);
  const none = { open: 0, connections: 0, messages: 0, bytes: 0, refused: {}, replaced: 0, duration: 0 };
  assertEquals([log.all, server.endpoints, server.snapshot()], [[], [], none]);
});

for (const way of ["stop", "kill"] as const) {
  bounded(`Server.start() serves nothing when ${way}() was called before`, async () => {
    const log = new EventLog();
    const server = new Server({ endpoints: [TCP, UDP], subscribers: [log.add] });
    server[way]();
    assertEquals((await server.finished).connections, 0);
    await server.start();
    assertEquals([log.all, server.endpoints], [[], []]);
  });

  onEachEngine(`Server.start() leaves nothing open when ${way}() is called while it starts`, async (engine) => {
    const log = new EventLog();
    const endpoint = `tcp://127.0.0.1:${freeTcpPort()}`;
    const server = new Server({ endpoints: [endpoint, UDP], engine, subscribers: [log.add] });
    const starting = server.start();
    server[way]();
    await starting;
    assertEquals([(await server.finished).connections, log.all, server.endpoints], [0, [], []]);
    await assertRejects(() => connect(parseEndpoint(endpoint)), Deno.errors.ConnectionRefused);
  });
}

bounded("Server.start() listens at nothing when its signal was aborted before", async () => {
  const log = new EventLog();
  const server = new Server({ endpoints: [TCP], subscribers: [log.add], signal: AbortSignal.abort() });
  await server.start();
  await server.finished;
  assertEquals([log.all, server.endpoints], [[], []]);
});

onEachEngine("Server.start() throws when it is called again, and the server goes on", async (engine) => {
  await using server = new Server({ endpoints: [TCP], engine });
  await server.start();
  await assertRejects(() => server.start(), Error, "a server starts once");
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, noise(10));
});

onEachEngine(
  "Server can be disposed, and has finished, when it could not start or was never started",
  async (engine) => {
    await using taken = await startServer({ endpoints: [TCP], engine });
    const log = new EventLog();
    const server = new Server({ endpoints: [taken.endpoints[0]!], engine, subscribers: [log.add] });
    await assertRejects(() => server.start(), MeariError, "address already in use");
    await server[Symbol.asyncDispose]();
    assertEquals((await server.finished).connections, 0);
    await assertRejects(() => server.start(), Error, "a server starts once");
    await new Server({ endpoints: [TCP], engine })[Symbol.asyncDispose]();
    assertEquals(log.all, []);
  },
);
