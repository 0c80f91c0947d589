import { assert, assertEquals } from "@std/assert";
import { type InetEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly } from "../../helpers/engines.ts";
import { startMeariServer } from "../../helpers/meari.ts";
import { needs, PYTHON } from "../../helpers/programs.ts";
import { Running } from "../../helpers/running.ts";
import { assertEchoes, connect, noise } from "../../helpers/streams.ts";
import { StuckClient } from "../../helpers/stuck_client.ts";

/** How many files a program may have open here. */
function mostFiles(): number {
  if (linuxOnly.ignore) return 0;
  return Number(/^Max open files +(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))![1]);
}

/** How often the threads of a process's workers have waited for something (proc(5)). */
function waitsOfWorkers(pid: number): number[] {
  const tasks = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => `/proc/${pid}/task/${name}`);
  const workers = tasks.filter((task) => Deno.readTextFileSync(`${task}/comm`).startsWith("worker-"));
  return workers.map((task) => {
    return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(Deno.readTextFileSync(`${task}/status`))![1]);
  });
}

bounded("A native server does nothing at all while its clients are idle, or do not read", async () => {
  const { server, endpoints } = await startMeariServer(["-p", "0", "--engine", "native", "--workers", "2"], {
    count: 2,
  });
  await using _server = server;
  const endpoint = parseEndpoint(endpoints[0]!);
  await using _stuck = await StuckClient.of(endpoint);
  using idle = await connect(endpoint);
  await assertEchoes(idle, noise(100));
  await server.stdout.until("> echoed");
  // What is left out of the log is told once a second, for the last time when nothing happens any more.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const before = waitsOfWorkers(server.pid);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assertEquals([waitsOfWorkers(server.pid), before.length], [before, 2]);
  await assertEchoes(idle, noise(100));
  server.kill("SIGINT");
  server.kill("SIGINT");
}, linuxOnly);

const CLIENTS = 10_000;

bounded("A native server keeps 10,000 idle connections, and has each echo when it says something", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "--engine", "native"]);
  await using _server = server;
  const { port } = parseEndpoint(endpoints[0]!) as InetEndpoint;
  await using clients = new Running([
    needs(PYTHON),
    "-c",
    `
import socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
print("connected", flush=True)
sys.stdin.readline()
for i, s in enumerate(conns):
    s.settimeout(10)
    s.sendall(b"%d" % i)
for i, s in enumerate(conns):
    assert s.recv(100) == b"%d" % i
print("echoed", flush=True)
for s in conns: assert s.recv(100) == b""
print("closed", flush=True)
`,
    `${port}`,
    `${CLIENTS}`,
  ]);
  await clients.stdout.until("connected");
  await clients.type("\n");
  await clients.stdout.until("echoed");
  server.kill("SIGTERM");
  await clients.stdout.until("closed");
  assertEquals([await clients.exit(), await server.exit()], [0, 0]);
  const served = /^> served (\d+) connections, (\d+) messages/m.exec(server.stdout.text);
  assertEquals(served?.slice(1).map(Number), [CLIENTS, CLIENTS]);
  assert(server.stderr.text === "", server.stderr.text);
}, { ignore: mostFiles() < CLIENTS + 100, seconds: 60 });
