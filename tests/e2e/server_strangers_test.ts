import { assert, assertEquals, assertMatch } from "@std/assert";
import { type InetEndpoint, parseEndpoint } from "../../lib/endpoint.ts";
import { bounded } from "../helpers/bounded.ts";
import { linuxOnly, onEachEngine } from "../helpers/engines.ts";
import { freeUdpPort } from "../helpers/free_port.ts";
import { program, RunningMeari, startMeariServer } from "../helpers/meari.ts";
import { python } from "../helpers/programs.ts";
import { sendForged } from "../helpers/raw_udp.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

/** Starts the server at one endpoint. */
async function serve(endpoint: string, ...args: string[]) {
  const { server, endpoints } = await startMeariServer([endpoint, ...args]);
  return { server, endpoint: parseEndpoint(endpoints[0]!) as InetEndpoint };
}

/** Ends the server, and sees that it ended well and wrote nothing to stderr. */
async function stop(server: RunningMeari): Promise<void> {
  server.kill("SIGTERM");
  assertEquals([await server.exit(), server.stderr.text.slice(0, 300)], [0, ""]);
}

/** How many lines match, and the sum of the numbers in those that stand for the rest. */
function counted(
  lines: readonly string[],
  shown: RegExp,
  rest: RegExp,
): { lines: number; seconds: number; sum: number } {
  const rests = lines.flatMap((line) => rest.exec(line)?.slice(1).map(Number) ?? []);
  const count = lines.filter((line) => shown.test(line)).length;
  return { lines: count, seconds: rests.length, sum: rests.reduce((sum, number) => sum + number, count) };
}

/** The events of a JSON log. */
const events = (server: RunningMeari) => server.stdout.lines.map((line) => JSON.parse(line));

/** Has a datagram echoed, so that what came before it has been looked at; sends it again where it was lost in a flood. */
async function exchange({ port }: InetEndpoint): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const send = () => socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
  await send();
  const again = setInterval(send, 500);
  try {
    assertEquals((await socket.receive())[0], bytes);
  } finally {
    clearInterval(again);
    socket.close();
  }
}

onEachEngine(
  "meari-server waits a little and serves everybody in the end when it has too many open files",
  async (engine) => {
    const clients = 100;
    const command = [...program("meari-server"), "tcp://127.0.0.1:0", "--log", "json", "--engine", engine];
    await using server = new RunningMeari(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", ...command]);
    const endpoint = parseEndpoint((await server.stdout.until(/tcp:[^"]+/))[0]);
    const conns = await Promise.all(Array.from({ length: clients }, () => connect(endpoint)));
    await Promise.all(conns.map(async (conn, i) => {
      await assertEchoes(conn, noise(100, i));
      // Nobody makes room for those who wait before the server has run out of files.
      await server.stdout.until('"failed"');
      conn.close();
    }));
    server.kill("SIGTERM");
    assertEquals(await server.exit(), 0);
    const log = events(server);
    const failed = log.filter(({ event }) => event === "failed");
    for (const { operation, cause } of failed) assertEquals([operation, cause], ["accept", "too many open files"]);
    // It waits between attempts: without that there would be thousands.
    const unshown = log.filter(({ event, of }) => event === "unshown" && of === "failed");
    assert(failed.length + unshown.reduce((sum, { count }) => sum + count, 0) < 50, `${failed.length} failures`);
    const { event, connections, bytes } = log.at(-1);
    assertEquals([event, connections, bytes], ["stopped", clients, clients * 100]);
  },
  unixOnly,
);

bounded("meari-server writes a few lines a second, whose sums add up, when a stranger scans its port", async () => {
  const { server, endpoint } = await serve("tcp://127.0.0.1:0");
  await using _ = server;
  const scan = await python(
    "for _ in range(2000): socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()",
    endpoint.host,
    endpoint.port,
  );
  assertEquals([scan.code, scan.stderr], [0, ""]);
  {
    using conn = await connect(endpoint);
    await assertEchoes(conn, noise(100));
  }
  await stop(server);
  const { lines } = server.stdout;
  for (
    const [shown, rest] of [
      [/^> client connected by IP address 127/, /^> (\d+) more clients? connected, not shown$/],
      [/^> client 127\S+ disconnected: /, /^> (\d+) more clients? disconnected, not shown$/],
    ] as const
  ) {
    const { lines: count, seconds, sum } = counted(lines, shown, rest);
    assertEquals(sum, 2001);
    assert(count >= 20 && count <= 20 * (seconds + 1), `${count} lines and ${seconds} sums`);
  }
  assertMatch(server.stdout.text, /^> served 2001 connections, 1 message, 100 bytes in /m);
}, unixOnly);

bounded("meari-server writes a few lines a second, to stdout alone, when datagrams come from port 0", async () => {
  const { server, endpoint } = await serve("udp://127.0.0.1:0");
  await using _ = server;
  for (let round = 0; round < 10; round++) {
    await sendForged(endpoint.port, [0], { count: 2000 });
    await exchange(endpoint);
  }
  await stop(server);
  const { lines: count, seconds, sum } = counted(
    server.stdout.lines,
    /^> datagram from 127\.0\.0\.1:0 not answered: no return address$/,
    /^> (\d+) more datagrams? not answered, not shown$/,
  );
  // What the socket's buffer does not hold is lost before the server sees it.
  assert(sum > 1000, `${sum} datagrams`);
  assert(count >= 5 && count <= 5 * (seconds + 1), `${count} lines and ${seconds} sums`);
  assertMatch(server.stdout.text, new RegExp(`^> ${sum} datagrams not answered$`, "m"));
}, linuxOnly);

onEachEngine("meari-server answers no datagram from a port that would answer, nor one from itself", async (engine) => {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const { server, endpoint } = await serve(`udp://${host}:0`, "--log", "json", "--engine", engine);
    await using _ = server;
    await sendForged(endpoint.port, [7, 13, 17, 19, 37, 53, 123, endpoint.port]);
    await exchange(endpoint);
    await stop(server);
    const { messages, refused } = events(server).at(-1);
    assertEquals([messages, refused], [1, { "answering port": 7, "own address": 1 }]);
    assertEquals(events(server).filter(({ event }) => event === "refused")[0], {
      time: events(server).find(({ event }) => event === "refused").time,
      event: "refused",
      endpoint: `udp://${host}:${endpoint.port}`,
      peer: "127.0.0.1:7",
      reason: "answering port",
    });
  }
}, linuxOnly);

onEachEngine(
  "meari-server ends by itself what goes round between it and another when a datagram is forged",
  async (engine) => {
    const port = freeUdpPort();
    const { server: first, endpoint } = await serve("udp://127.0.0.1:0", "--log", "json", "--engine", engine);
    await using _first = first;
    // It gets to them only when the other server is there.
    first.kill("SIGSTOP");
    const { code, stderr } = await python(
      `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[2])))
for i in range(64): s.sendto(b"round and round %d" % (i % 4), ("127.0.0.1", int(sys.argv[1])))`,
      endpoint.port,
      port,
    );
    assertEquals([code, stderr], [0, ""]);
    const { server: second } = await serve(`udp://127.0.0.1:${port}`, "--log", "json", "--engine", engine);
    await using _second = second;
    first.kill("SIGCONT");
    await Promise.any([first, second].map(({ stdout }) => stdout.until('"repeats"')));
    // What survived the pause would go on after it.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await stop(first);
    await stop(second);
    const stopped = [first, second].map((server) => events(server).at(-1));
    for (const { messages } of stopped) assert(messages >= 1000 && messages <= 201_000, `${messages} messages`);
    const refused = stopped.map(({ refused }) => refused.repeats ?? 0);
    assert(refused[0] + refused[1] >= 1 && refused[0] + refused[1] <= 64, `${refused} refused`);
  },
  { ...linuxOnly, seconds: 60 },
);
