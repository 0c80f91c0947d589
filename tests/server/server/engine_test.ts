import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { formatEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import { MeariError } from "../../../lib/errors.ts";
import { EndpointError } from "../../../lib/transport/mod.ts";
import { adviceFor } from "../../../server/advice.ts";
import { startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { engines, linuxOnly, onEachEngine } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { freeTcpPort, freeUdpPort } from "../../helpers/free_port.ts";
import { program, ROOT, RunningMeari } from "../../helpers/meari.ts";
import { assertEchoes, connect, noise } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

bounded("startServer() tells what serves each endpoint, and takes native sockets where they can be had", async () => {
  using folder = new TempFolder();
  const log = new EventLog();
  const unix = Deno.build.os === "windows" ? [] : [`unix://${folder.file("a.sock")}`];
  const endpoints = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", ...unix];
  await using server = await startServer({ endpoints, subscribers: [log.add] });
  const told = log.of("listening").map(({ endpoint, engine }) => [formatEndpoint(endpoint), engine]);
  const [best] = engines;
  assertEquals(
    told,
    server.endpoints.map((endpoint) => [formatEndpoint(endpoint), "path" in endpoint ? "portable" : best]),
  );
  // Elsewhere it says why not.
  assertEquals(log.of("fallback").length, best === "native" ? 0 : 1);
});

bounded("startServer() takes Deno's sockets when it is told to, and says nothing of native ones", async () => {
  const log = new EventLog();
  await using _server = await startServer({
    endpoints: ["tcp://127.0.0.1:0"],
    engine: "portable",
    subscribers: [log.add],
  });
  assertEquals([log.of("listening")[0]?.engine, log.of("fallback")], ["portable", []]);
});

onEachEngine("startServer() resolves a name, and serves at the address that it finds", async (engine) => {
  await using server = await startServer({ endpoints: [["tcp://localhost:0", "udp://localhost:0"]], engine });
  const [tcp, udp] = server.endpoints;
  assertEquals(formatEndpoint(tcp!).replace("tcp", "udp"), formatEndpoint(udp!));
  assertMatch(formatEndpoint(tcp!), /^tcp:\/\/localhost:[1-9]\d*$/);
  using conn = await connect(tcp);
  await assertEchoes(conn, noise(100));
});

onEachEngine("startServer() says what is wrong and what to do when a host is unknown", async (engine) => {
  const endpoint = "tcp://no-such-host.invalid:0";
  const error = await assertRejects(() => startServer({ endpoints: [endpoint], engine }), EndpointError);
  assertEquals([error.message, adviceFor(error)], [
    `cannot listen on ${endpoint}: no such host`,
    "check the spelling, or use an IP address of this machine",
  ]);
});

for (const workers of [1, 2]) {
  for (const transport of ["tcp", "udp"] as const) {
    bounded(
      `startServer() shares no port when it has ${workers} native workers and the other may have more (${transport})`,
      async () => {
        const port = transport === "tcp" ? freeTcpPort() : freeUdpPort();
        const endpoint = `${transport}://127.0.0.1:${port}`;
        await using _first = await startServer({ endpoints: [endpoint], engine: "native", workers });
        for (
          const options of [{ engine: "native", workers: 1 }, { engine: "native", workers: 2 }, {
            engine: "portable",
          }] as const
        ) {
          const error = await assertRejects(() => startServer({ endpoints: [endpoint], ...options }), EndpointError);
          assertEquals(error.message, `cannot listen on ${endpoint}: address already in use`);
          assertMatch(adviceFor(error)!, /^stop the program that has it, /);
        }
      },
      linuxOnly,
    );
  }
}

bounded("startServer() shares no port with a portable server when it has 2 native workers", async () => {
  await using first = await startServer({ endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"], engine: "portable" });
  for (const endpoint of first.endpoints) {
    await assertRejects(() => startServer({ endpoints: [endpoint], workers: 2 }), MeariError, "address already in use");
  }
}, linuxOnly);

/** Starts meari-server from source, with other permissions than its task has. */
function startWithout(permission: string, args: readonly string[]): RunningMeari {
  const command = program("meari-server").filter((word) => !word.startsWith(permission));
  return new RunningMeari([...command, ...args], { cwd: ROOT });
}

const fromSource = { ignore: linuxOnly.ignore || Deno.env.get("MEARI_DIST") !== undefined };

bounded("meari-server serves with Deno's sockets, and says so once, when FFI is not permitted", async () => {
  for (const quiet of [false, true]) {
    const [port, args] = [freeTcpPort(), quiet ? ["--quiet"] : []];
    await using server = startWithout("--allow-ffi", [`tcp://127.0.0.1:${port}`, ...args]);
    const line =
      "meari-server: serving with Deno's own sockets, not with native ones: they need the permission --allow-ffi\n";
    await server.stderr.until("\n");
    if (!quiet) await server.stdout.until(`> listening on tcp://127.0.0.1:${port} (portable)\n`);
    {
      using conn = await connect(parseEndpoint(`tcp://127.0.0.1:${port}`));
      await assertEchoes(conn, noise(100));
    }
    server.kill("SIGTERM");
    assertEquals([await server.exit(), server.stderr.text], [0, line]);
  }
}, fromSource);

bounded("meari-server --engine native ends with exit code 1 and one line when FFI is not permitted", async () => {
  await using server = startWithout("--allow-ffi", ["-p", "0", "--engine", "native"]);
  assertEquals([await server.exit(), server.stdout.text, server.stderr.text], [
    1,
    "",
    "meari-server: cannot use native sockets: they need the permission --allow-ffi\n",
  ]);
}, fromSource);

bounded("meari-server --log json tells why it serves with Deno's sockets", async () => {
  await using server = startWithout("--allow-ffi", ["udp://127.0.0.1:0", "--log", "json"]);
  await server.stdout.until('"listening"');
  server.kill("SIGTERM");
  assertEquals([await server.exit(), server.stderr.text], [0, ""]);
  const [fallback, listening] = server.stdout.lines.map((line) => JSON.parse(line));
  assertEquals([fallback.event, fallback.engine, fallback.cause], [
    "fallback",
    "portable",
    "they need the permission --allow-ffi",
  ]);
  assertEquals([listening.event, listening.engine], ["listening", "portable"]);
}, fromSource);
