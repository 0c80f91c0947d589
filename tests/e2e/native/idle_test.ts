import { assert, assertEquals } from "@std/assert";
import { parseEndpoint } from "../../../lib/endpoint.ts";
import { bounded } from "../../helpers/bounded.ts";
import { startMeariServer } from "../../helpers/meari.ts";
import { processorTime } from "../../helpers/process_stats.ts";
import { needs, PYTHON } from "../../helpers/programs.ts";
import { Running } from "../../helpers/running.ts";
import { assertEchoes, connect, noise } from "../../helpers/streams.ts";

const linux = Deno.build.os === "linux";

/** Starts a server of TCP and UDP on one port. */
async function serve() {
  const { server, endpoints } = await startMeariServer(["--engine", "native", "-p", "0"], { count: 2 });
  return { server, port: Number(/\d+$/.exec(endpoints[0]!)) };
}

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}

/** Watches a process for ten seconds; returns the names of the system calls that it made. */
async function callsOfTenSeconds(pid: number): Promise<string[]> {
  await using strace = new Running([needs("strace"), "-f", "-c", "-p", `${pid}`]);
  await strace.stderr.until("attached");
  await seconds(10);
  strace.kill("SIGINT");
  await strace.exit();
  const rows = strace.stderr.lines.filter((line) => /^ *\d+\.\d+ /.test(line) && !line.endsWith(" total"));
  return rows.map((line) => line.trim().split(/\s+/).at(-1)!);
}

bounded("meari-server makes no system call for ten seconds while 100 connections are idle", async () => {
  const { server, port } = await serve();
  await using _server = server;
  const endpoint = parseEndpoint(`tcp://127.0.0.1:${port}`);
  const conns = await Promise.all(Array.from({ length: 100 }, () => connect(endpoint)));
  await Promise.all(conns.map((conn) => assertEchoes(conn, noise(1000))));
  // After ten seconds without work the runtime ends the thread that wrote the log.
  await seconds(12);
  let calls = await callsOfTenSeconds(server.pid);
  for (let tries = 1; calls.length > 0 && tries < 3; tries++) {
    // The threads of the runtime may wake each other now and then, but nothing looks at sockets, clocks or files.
    assertEquals(calls, ["futex"]);
    calls = await callsOfTenSeconds(server.pid);
  }
  assertEquals(calls, []);
  for (const conn of conns) conn.close();
}, { ignore: !linux || !Deno.env.get("MEARI_DIST"), seconds: 90 });

/** What clients do that the server must wait for without looking again and again. */
const WAITING = {
  "do not read": `
for _ in range(3):
    s = narrow()
    conns.append(s)`,
  "do not read, and have ended their half": `
for _ in range(3):
    s = narrow()
    s.shutdown(socket.SHUT_WR)
    conns.append(s)`,
  "keep their half open after quit": `
for _ in range(20):
    s = socket.create_connection(address)
    s.send(b"quit")
    conns.append(s)`,
  "have gone before their datagrams were answered": `
for _ in range(50):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(address)
    for _ in range(5): s.send(b"x")
    s.close()`,
  "are more than may be open": `
n = len(os.listdir("/proc/%d/fd" % pid))
resource.prlimit(pid, resource.RLIMIT_NOFILE, (n + 5, n + 5))
for _ in range(30): conns.append(socket.create_connection(address))`,
  "have reset before they were accepted": `
os.kill(pid, signal.SIGSTOP)
for _ in range(100):
    s = socket.create_connection(address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
os.kill(pid, signal.SIGCONT)`,
};

const CLIENTS = `
import os, resource, signal, socket, struct, sys
address, pid, conns = ("127.0.0.1", int(sys.argv[1])), int(sys.argv[2]), []
def narrow():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    s.connect(address)
    s.settimeout(0.3)
    try:
        while True: s.send(b"x" * 65536)
    except socket.timeout:
        return s
`;

for (const [what, clients] of Object.entries(WAITING)) {
  bounded(`meari-server uses no processor time for clients that ${what}`, async () => {
    const { server, port } = await serve();
    await using _server = server;
    const code = `${CLIENTS}${clients}\nprint("there", flush=True)\nsys.stdin.read()`;
    await using python = new Running([needs(PYTHON), "-c", code, `${port}`, `${server.pid}`]);
    await python.stdout.until("there");
    // What they have done is told and done with.
    await seconds(0.5);
    const before = processorTime(server.pid);
    await seconds(2);
    const used = processorTime(server.pid) - before;
    assert(used < 20, `${used} hundredths of a second of two`);
    // What has to be watched for seconds is watched in CI, with the executables.
  }, { ignore: !linux || !Deno.env.get("MEARI_DIST") });
}
