import { assertEquals, assertMatch } from "@std/assert";
import { type InetEndpoint, parseEndpoint } from "../../lib/endpoint.ts";
import type { Engine } from "../../server/mod.ts";
import { bounded } from "../helpers/bounded.ts";
import { onEachEngine } from "../helpers/engines.ts";
import { program, RunningMeari, startMeariServer } from "../helpers/meari.ts";
import { needs, PYTHON, python } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";
import { exists, TempFolder } from "../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  bounded(`meari-server ends well at ${signal} and leaves no socket file`, async () => {
    using folder = new TempFolder();
    const paths = [folder.file("stream.sock"), folder.file("datagram.sock")];
    const { server, endpoints } = await startMeariServer([`unix://${paths[0]}`, `unixgram://${paths[1]}`], {
      count: 2,
    });
    await using _ = server;
    using conn = await connect(parseEndpoint(endpoints[0]!));
    await assertEchoes(conn, noise(100));
    assertEquals(paths.map(exists), [true, true]);
    server.kill(signal);
    assertEquals([await server.exit(), server.stderr.text, ...paths.map(exists)], [0, "", false, false]);
    // An idle client is not cut off.
    assertMatch(server.stdout.text, /^> client unix:\S+ closed at the stop: 1 message, 100 bytes, \S+$/m);
    assertMatch(server.stdout.text, /^> echo server stopped$/m);
  }, unixOnly);
}

bounded("meari-server goes on at SIGHUP when nohup has started it", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  await using server = new RunningMeari([needs("nohup"), ...program("meari-server"), `unix://${path}`]);
  await server.stdout.until("> listening on");
  server.kill("SIGHUP");
  for (let i = 0; i < 3; i++) {
    using conn = await connect({ transport: "unix", path });
    await assertEchoes(conn, noise(100));
  }
  server.kill("SIGTERM");
  assertEquals([await server.exit(), exists(path)], [0, false]);
  assertMatch(server.stdout.text, /^> served 3 connections, /m);
}, { ignore: Deno.build.os !== "linux" });

/** Starts a server for one conversation, over TCP. */
async function serveOnce(engine: Engine) {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "--once", "--engine", engine]);
  return { server, endpoint: parseEndpoint(endpoints[0]!) as InetEndpoint };
}

onEachEngine(
  "meari-server --once waits on when a client has reset its connection before it was accepted",
  async (engine) => {
    const { server, endpoint } = await serveOnce(engine);
    await using _ = server;
    server.kill("SIGSTOP");
    const { code, stderr } = await python(
      `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`,
      endpoint.port,
    );
    assertEquals([code, stderr], [0, ""]);
    server.kill("SIGCONT");
    {
      using conn = await connect(endpoint);
      await assertEchoes(conn, noise(100));
    }
    assertEquals([await server.exit(), server.stderr.text], [0, ""]);
    assertMatch(server.stdout.text, /> served 1 connection, 1 message, 100 bytes in \S+\n> echo server stopped\n$/);
  },
  unixOnly,
);

onEachEngine(
  "meari-server --once ends, and says with what, when a client resets its connection at once",
  async (engine) => {
    const { server, endpoint } = await serveOnce(engine);
    await using _ = server;
    const client = new Running([
      PYTHON,
      "-c",
      `
import socket, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sys.stdin.read()
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`,
      `${endpoint.port}`,
    ]);
    await using _client = client;
    await server.stdout.until("> client connected");
    await client.endInput();
    assertEquals([await server.exit(), server.stderr.text], [0, ""]);
    assertMatch(server.stdout.text, /^> client 127\.0\.0\.1:\d+ reset the connection: 0 messages, 0 bytes, \S+$/m);
    assertMatch(server.stdout.text, /> served 1 connection, 0 messages, 0 bytes in \S+\n> echo server stopped\n$/);
  },
  unixOnly,
);
