import { assertEquals, assertThrows } from "@std/assert";
import { type Engine, startServer } from "../../server/mod.ts";
import { onEachEngine } from "../helpers/engines.ts";
import { EventLog } from "../helpers/event_log.ts";
import { needs, type Outcome, PYTHON, python, run } from "../helpers/programs.ts";
import { assertSameBytes, noise } from "../helpers/streams.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };
const KOREAN = "메아리가 돌아온다\n";

/** The path of one of the Python programs. */
const peer = (name: string) => new URL(`../peers/${name}`, import.meta.url).pathname.replace(/^\/(?=[A-Z]:)/, "");

/** A server of every kind of endpoint, and what a peer needs to reach each. */
async function everywhere(engine: Engine, folder: TempFolder) {
  const log = new EventLog();
  const [unix, unixgram] = [folder.file("a.sock"), folder.file("b.sock")];
  const paths = Deno.build.os === "windows" ? [] : [`unix://${unix}`, `unixgram://${unixgram}`];
  const server = await startServer({
    endpoints: ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "tcp://[::1]:0", "udp://[::1]:0", ...paths],
    engine,
    subscribers: [log.add],
  });
  const [tcp, udp, tcp6, udp6] = server.endpoints.map((endpoint) => "port" in endpoint ? `${endpoint.port}` : "");
  return { server, log, ports: { tcp: tcp!, udp: udp!, tcp6: tcp6!, udp6: udp6! }, unix, unixgram };
}

/** Checks that a program ended well, and said nothing else but the echo. */
function assertEchoed({ code, stdout, stderr }: Outcome, expected: string | Uint8Array): void {
  assertEquals([code, stderr], [0, ""]);
  assertSameBytes(stdout, typeof expected === "string" ? new TextEncoder().encode(expected) : expected);
}

Deno.test("needs() names the program when it is not installed", () => {
  assertThrows(() => needs("no-such-program"), Error, 'needs the program "no-such-program"; install it');
});

onEachEngine("meari-server echoes to netcat when it sends and half-closes", async (engine) => {
  using folder = new TempFolder();
  const { server, ports, unix } = await everywhere(engine, folder);
  await using _ = server;
  // OpenBSD's netcat half-closes at the end of its input with -N; that of macOS does so always.
  const halfClose = Deno.build.os === "darwin" ? [] : ["-N"];
  const bytes = noise(1_000_000);
  assertEchoed(await run("nc", [...halfClose, "127.0.0.1", ports.tcp], bytes), bytes);
  assertEchoed(await run("nc", [...halfClose, "::1", ports.tcp6], KOREAN), KOREAN);
  assertEchoed(await run("nc", [...halfClose, "-U", unix], bytes), bytes);
}, unixOnly);

onEachEngine("meari-server says goodbye to netcat when it says quit", async (engine) => {
  using folder = new TempFolder();
  const { server, log, ports } = await everywhere(engine, folder);
  await using _ = server;
  assertEchoed(await run("nc", ["127.0.0.1", ports.tcp], "quit\n"), "quit\n");
  assertEquals((await log.nth(1, "disconnected")).how, "quit");
}, unixOnly);

onEachEngine("meari-server echoes to ncat when it sends and half-closes", async (engine) => {
  using folder = new TempFolder();
  const { server, ports, unix } = await everywhere(engine, folder);
  await using _ = server;
  const bytes = noise(1_000_000);
  assertEchoed(await run("ncat", ["127.0.0.1", ports.tcp], bytes), bytes);
  assertEchoed(await run("ncat", ["-U", unix], KOREAN), KOREAN);
}, unixOnly);

onEachEngine("meari-server echoes streams to socat when it sends and half-closes", async (engine) => {
  using folder = new TempFolder();
  const { server, ports, unix } = await everywhere(engine, folder);
  await using _ = server;
  const bytes = noise(3_000_000);
  for (const place of [`TCP4:127.0.0.1:${ports.tcp}`, `TCP6:[::1]:${ports.tcp6}`, `UNIX-CONNECT:${unix}`]) {
    assertEchoed(await run("socat", ["-t", "10", "-", place], bytes), bytes);
  }
}, unixOnly);

onEachEngine("meari-server echoes datagrams to socat when it sends one a read", async (engine) => {
  using folder = new TempFolder();
  const { server, log, ports, unixgram } = await everywhere(engine, folder);
  await using _ = server;
  const places = [
    `UDP4:127.0.0.1:${ports.udp}`,
    `UDP6:[::1]:${ports.udp6}`,
    `UNIX-SENDTO:${unixgram},bind=${folder.file("client.sock")}`,
  ];
  for (const place of places) assertEchoed(await run("socat", ["-t", "0.5", "-", place], KOREAN), KOREAN);
  await log.nth(3, "echoed");
  assertEquals(log.of("echoed").map(({ message }) => new TextDecoder().decode(message)), [KOREAN, KOREAN, KOREAN]);
}, unixOnly);

onEachEngine("meari-server echoes to Python's socket module when it sends streams and datagrams", async (engine) => {
  using folder = new TempFolder();
  const { server, ports } = await everywhere(engine, folder);
  await using _ = server;
  const { code, text, stderr } = await python(
    `
import os
data = os.urandom(500000)
for family, host, tcp, udp in ((socket.AF_INET, "127.0.0.1", *sys.argv[1:3]), (socket.AF_INET6, "::1", *sys.argv[3:5])):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(10)
        s.connect((host, int(tcp)))
        echo = b""
        for at in range(0, len(data), 10000):
            s.sendall(data[at:at + 10000])
            echo += s.recv(100000)
        s.shutdown(socket.SHUT_WR)
        while part := s.recv(100000): echo += part
        assert echo == data
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        for length in (0, 1, 1000, 9000):
            s.sendto(data[:length], (host, int(udp)))
            assert s.recv(65536) == data[:length]
print("all came back")`,
    ports.tcp,
    ports.udp,
    ports.tcp6,
    ports.udp6,
  );
  assertEquals([code, text.trim(), stderr], [0, "all came back", ""]);
});

onEachEngine("meari-server talks with the seed's TCP client when its bugs are mended", async (engine) => {
  using folder = new TempFolder();
  const { server, log, ports } = await everywhere(engine, folder);
  await using _ = server;
  const long = "가".repeat(50_000);
  const lines = ["안녕", "", "메아리 🏔", long, "quit", "never sent"];
  const { code, text, stderr } = await run(PYTHON, [peer("tcp_client.py"), "127.0.0.1", ports.tcp], lines.join("\n"));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(text.replaceAll("\r\n", "\n").split("\n"), [
    "> 에코 클라이언트 활성화",
    ...["안녕", "", "메아리 🏔", long, "quit"].map((line) => `> > received: ${line}`),
    "> 에코 클라이언트 비활성화",
    "",
  ]);
  assertEquals((await log.nth(1, "disconnected")).how, "quit");
});

onEachEngine(
  "meari-server talks with the seed's TCP client to the end of its input when it never says quit",
  async (engine) => {
    using folder = new TempFolder();
    const { server, log, ports } = await everywhere(engine, folder);
    await using _ = server;
    const { code, stderr } = await run(PYTHON, [peer("tcp_client.py"), "127.0.0.1", ports.tcp], "하나\n둘");
    assertEquals([code, stderr], [0, ""]);
    const { how, bytes } = await log.nth(1, "disconnected");
    assertEquals([how, bytes], ["closed", 9]);
  },
);

onEachEngine("meari-server answers the seed's UDP client when its bugs are mended", async (engine) => {
  using folder = new TempFolder();
  const { server, log, ports } = await everywhere(engine, folder);
  await using _ = server;
  const { code, text, stderr } = await run(PYTHON, [peer("udp_client.py"), "127.0.0.1", ports.udp]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(text.replaceAll("\r\n", "\n"), "> 클라이언트 활성화\n> 클라이언트 비활성화\n");
  assertEquals(new TextDecoder().decode((await log.nth(1, "echoed")).message), "message");
});
