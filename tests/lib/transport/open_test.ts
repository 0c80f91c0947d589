import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import {
  closeListening,
  connectMessages,
  connectStream,
  type DatagramTransport,
  EndpointError,
  listen,
  listenTogether,
  transportOf,
} from "../../../lib/transport/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { systemError } from "../../helpers/errors.ts";
import { ownTransport } from "../../helpers/own_transport.ts";
import { python } from "../../helpers/programs.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

const bounds = { timeout: 5000 };
const ANY = "127.0.0.1:0";

bounded("listen() tells the kernel's port and keeps the rest when the endpoint is on an IP network", async () => {
  const options = { "no-quit": { help: "", parse: () => true } };
  const listening = await listen(parseEndpoint("tcp://localhost:0?no-quit", { options }));
  closeListening(listening);
  assert(listening.kind === "stream");
  const { port } = listening.listener.addr as Deno.NetAddr;
  assertEquals(formatEndpoint(listening.endpoint), `tcp://localhost:${port}?no-quit`);
});

bounded("listen() passes over clients that have reset their connections when they are accepted", async () => {
  const listening = await listen(parseEndpoint(`tcp://${ANY}`));
  assert(listening.kind === "stream");
  const { listener, endpoint } = listening;
  const { code, stderr } = await python(
    `
for i in range(10):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()`,
    (listener.addr as Deno.NetAddr).port,
  );
  assertEquals([code, stderr], [0, ""]);
  const client = await connectStream(endpoint, bounds);
  const server = await listener.accept();
  assertEquals(server.remoteAddr, client.localAddr);
  for (const socket of [client, server, listener]) socket.close();
});

bounded("connectMessages() looks a name up and prefers IPv4 when the host is a name", async () => {
  const conn = await connectMessages(parseEndpoint("udp://localhost:7"), bounds);
  assertEquals<unknown>(conn.remoteAddr, { transport: "udp", hostname: "127.0.0.1", port: 7 });
  conn.close();
});

bounded("connectMessages() removes its temporary folder when the conversation is closed", async () => {
  using folder = new TempFolder();
  const listening = await listen({ transport: "unixgram", path: folder.file("a.sock") });
  const conn = await connectMessages(listening.endpoint, bounds);
  const { path } = conn.localAddr as { path: string };
  assertEquals(exists(path), true);
  conn.close();
  closeListening(listening);
  assertEquals([exists(path), exists(path.slice(0, path.lastIndexOf("/")))], [false, false]);
}, { ignore: Deno.build.os === "windows" });

bounded("listenTogether() listens at one port when several endpoints ask for any", async () => {
  using folder = new TempFolder();
  const others: Endpoint[] = Deno.build.os === "windows" ? [] : [{ transport: "unix", path: folder.file("a.sock") }];
  for (let round = 0; round < 20; round++) {
    const all = await listenTogether([parseEndpoint(`tcp://${ANY}`), ...others, parseEndpoint(`udp://${ANY}`)]);
    const ports = all.flatMap(({ endpoint }) => "port" in endpoint ? [endpoint.port] : []);
    assertEquals(ports.length, 2);
    assertEquals(ports[0], ports[1]);
    assertNotEquals(ports[0], 0);
    assertEquals(all.map(({ endpoint }) => endpoint.transport), ["tcp", ...others.map(() => "unix"), "udp"]);
    all.forEach(closeListening);
  }
});

/** A row that cannot have the first so many ports that it is asked for. */
function fussy(refusals: number): { row: DatagramTransport; refused: number[] } {
  const udp = transportOf(parseEndpoint("udp://")) as DatagramTransport;
  const refused: number[] = [];
  const listen = (endpoint: Endpoint) => {
    if (refused.length >= refusals) return udp.listen(endpoint);
    refused.push((endpoint as { port: number }).port);
    throw systemError("EADDRINUSE");
  };
  return { row: { ...udp, listen }, refused };
}

bounded("listenTogether() takes another port when the first is taken for one of them", async () => {
  const { row, refused } = fussy(3);
  using _row = ownTransport("fussy", row);
  const all = await listenTogether([parseEndpoint(`tcp://${ANY}`), parseEndpoint(`fussy://${ANY}`)]);
  const [tcp, other] = all.map(({ endpoint }) => (endpoint as { port: number }).port);
  assertEquals(tcp, other);
  assertEquals([refused.length, refused.includes(tcp!)], [3, false]);
  all.forEach(closeListening);
});

bounded("listenTogether() gives up and listens nowhere when no port is free for all", async () => {
  const { row, refused } = fussy(Infinity);
  using _row = ownTransport("fussy", row);
  const attempt = listenTogether([parseEndpoint(`tcp://${ANY}`), parseEndpoint(`fussy://${ANY}`)]);
  const error = await assertRejects(() => attempt, EndpointError);
  assertEquals(error.message, `cannot listen on fussy://127.0.0.1:${refused.at(-1)}: address already in use`);
  assertEquals(refused.length, 20);
});

bounded("listenTogether() tries once and listens nowhere when a given port is taken", async () => {
  const taken = await listen(parseEndpoint(`udp://${ANY}`));
  const attempt = listenTogether([parseEndpoint(`tcp://${ANY}`), taken.endpoint]);
  const error = await assertRejects(() => attempt, EndpointError);
  assertEquals(error.message, `cannot listen on ${formatEndpoint(taken.endpoint)}: address already in use`);
  closeListening(taken);
});
