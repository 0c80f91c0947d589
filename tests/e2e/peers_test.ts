import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort, freeUdpPort } from "../helpers/free_port.ts";
import { meari } from "../helpers/meari.ts";
import { needs, PYTHON } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";
import { ScriptedDatagramServer } from "../helpers/scripted_server.ts";
import { assertSameBytes, noise } from "../helpers/streams.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };
const linuxOnly = { ignore: Deno.build.os !== "linux" };

const KOREAN = "메아리가 돌아온다\nhello\n";

/** Checks that lines, and unless told otherwise random bytes, come back from a server that is not ours. */
async function assertTalks(to: string, { raw = true, args = [] as string[] } = {}): Promise<void> {
  const { code, text, stderr } = await meari("meari", [to, ...args], { stdin: KOREAN });
  assertEquals([code, text, stderr], [0, KOREAN, ""]);
  if (!raw) return;
  const bytes = noise(1_000_000);
  const outcome = await meari("meari", [to, "--raw", "--verify"], { stdin: bytes });
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertSameBytes(outcome.stdout, bytes);
}

/** Starts one of the seed's servers, whose bugs are mended, on a port of the kernel's choice. */
async function startSeed(name: string): Promise<{ server: Running; port: string }> {
  const path = fileURLToPath(new URL(`../peers/${name}`, import.meta.url));
  const server = new Running([needs(PYTHON), path, "127.0.0.1", "0"]);
  return { server, port: (await server.stderr.until(/\d+(?=\r?\n)/))[0] };
}

/**
 * Starts a server that cannot choose a port and tell it: on one that was free just now, and on another where somebody
 * else has taken that meanwhile.
 */
async function startOnFreePort(freePort: () => number, command: (port: number) => string[], ready: string) {
  while (true) {
    const port = freePort();
    const server = new Running(command(port));
    try {
      await server.stderr.until(ready);
      return { server, port };
    } catch (error) {
      await server[Symbol.asyncDispose]();
      if (!/in use/.test(server.stderr.text)) throw error;
    }
  }
}

bounded("meari talks with the seed's TCP server, which closes after quit", async () => {
  const { server, port } = await startSeed("tcp_server.py");
  await using process = server;
  const stdin = "hello\n메아리가 돌아온다\nquit\nnever sent\n";
  const outcome = await meari("meari", [`:${port}`], { stdin });
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertEquals(outcome.text, "hello\n메아리가 돌아온다\nquit\n");
  assertEquals(await process.exit(), 0);
  const said = process.stdout.text.replaceAll("\r", "").replace(/Port number \d+/, "Port number N");
  assertEquals(
    said,
    `> 에코 서버 활성화
> client connected by IP address 127.0.0.1 with Port number N
> echoed: hello
> echoed: 메아리가 돌아온다
> echoed: quit
> 에코 서버 비활성화
`,
  );
});

bounded("meari sends more than the seed's TCP server reads at once", async () => {
  const { server, port } = await startSeed("tcp_server.py");
  await using process = server;
  const line = "메아리".repeat(5000);
  const outcome = await meari("meari", [`:${port}`, "-m", line]);
  assertEquals([outcome.code, outcome.stderr, outcome.text === `${line}\n`], [0, "", true]);
  assertEquals(await process.exit(), 0);
});

bounded("meari talks with the seed's UDP server, which answers once", async () => {
  const { server, port } = await startSeed("udp_server.py");
  await using process = server;
  const outcome = await meari("meari", ["-u", `:${port}`, "-m", "메시지"]);
  assertEquals([outcome.code, outcome.text, outcome.stderr], [0, "메시지\n", ""]);
  assertEquals(await process.exit(), 0);
  const gone = await meari("meari", ["-u", `:${port}`, "-m", "more", "--timeout", "200ms"]);
  assertEquals([gone.code, gone.text], [3, ""]);
});

bounded("meari talks with ncat that runs cat", async () => {
  const ncat = [needs("ncat"), "-v", "-l", "-k", "-e", "/bin/cat", "127.0.0.1"];
  const { server, port } = await startOnFreePort(freeTcpPort, (port) => [...ncat, `${port}`], "Listening on 127.0.0.1");
  await using _ = server;
  const to = `tcp://127.0.0.1:${port}`;
  // At the client's end of the stream ncat ends too and drops what cat still has to say, so each echo must be awaited.
  await assertTalks(to, { raw: false });
  // More than one read takes, but no more than the pipe to cat does: ncat waits there while cat waits for ncat.
  const line = KOREAN.replaceAll("\n", " ").repeat(1000);
  const { code, text, stderr } = await meari("meari", [to], { stdin: line });
  assertEquals([code, text === `${line}\n`, stderr], [0, true, ""]);
}, unixOnly);

bounded("meari talks with socat that runs cat", async () => {
  // With two levels of messages socat tells the port that the kernel chose.
  const server = new Running([needs("socat"), "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", "EXEC:cat"]);
  await using process = server;
  const [, port] = await process.stderr.until(/listening on \S* ?\S*:(\d+)/);
  await assertTalks(`tcp://127.0.0.1:${port}`);
}, unixOnly);

bounded("meari talks with socat that runs cat at a Unix socket", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  await using process = new Running([needs("socat"), "-d", "-d", `UNIX-LISTEN:${path},fork`, "EXEC:cat"]);
  await process.stderr.until("listening on");
  await assertTalks(`unix://${path}`);
}, unixOnly);

bounded("meari talks with socat over UDP", async () => {
  const socat = (port: number) => [needs("socat"), "-d", "-d", `UDP-RECVFROM:${port},bind=127.0.0.1,fork`, "EXEC:cat"];
  const { server, port } = await startOnFreePort(freeUdpPort, socat, "receiving on");
  await using _ = server;
  await assertTalks(`udp://127.0.0.1:${port}`, { raw: false });
}, unixOnly);

bounded("meari talks with inetd's built-in echo over TCP and UDP", async () => {
  using folder = new TempFolder();
  const conf = folder.file("inetd.conf");
  // It knows its echo by name alone, which has port 7: that needs privileges, and an address of its own keeps it apart
  // from others. Datagrams from 127.0.0.0/8 it leaves unanswered, lest two echoes talk to each other.
  const host = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.7`;
  const user = Deno.uid() === 0 ? "root" : "nobody";
  const services = [`${host}:echo stream tcp4 nowait`, "[::1]:echo dgram udp6 wait"];
  Deno.writeTextFileSync(conf, services.map((service) => `${service} ${user} internal\n`).join(""));
  const inetd = [needs("inetd"), "-d", "-i", conf];
  await using process = new Running(Deno.uid() === 0 ? inetd : [needs("sudo"), "-n", ...inetd]);
  await process.stderr.until(/ADD: .*proto=udp6/);
  await assertTalks(`tcp://${host}:7`);
  await assertTalks("udp://[::1]:7", { raw: false });
  process.kill("SIGTERM");
  await process.exit();
}, linuxOnly);

// Only Linux has the whole of 127.0.0.0/8 without being told so.
bounded("meari talks with a UDP server that answers from a wildcard address", async () => {
  await using server = new ScriptedDatagramServer((datagram, answer) => answer(datagram), "0.0.0.0");
  await assertTalks(`udp://127.0.0.2:${server.endpoint.port}`, { raw: false });
}, linuxOnly);
