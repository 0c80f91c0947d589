import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { bounded } from "../helpers/bounded.ts";
import { startMeariServer } from "../helpers/meari.ts";
import { eventually, openDescriptors, residentMemory } from "../helpers/process_stats.ts";
import { needs, PYTHON } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";

/** How long the clients go on in all, in seconds. */
const SECONDS = Number(Deno.env.get("MEARI_FUZZ_SECONDS") ?? 4);

/** What they draw everything from; where something is wrong it is told, to be tried again. */
const SEED = Deno.env.get("MEARI_FUZZ_SEED") ?? `${crypto.getRandomValues(new Uint32Array(1))[0]}`;

/** The program that is them. */
const CLIENTS = fileURLToPath(new URL("./clients.py", import.meta.url));

/** What they do, again and again: how many connections, and how many sockets of datagrams. */
const ROUNDS = [[10, 10], [1000, 50], [0, 100], [300, 0]];

/** By how much the memory may have grown after a later round, in KiB: what V8 has not collected yet comes and goes. */
const GROWTH = 32 * 1024;

/** Both families, and sockets on one address as well as on all. */
const LISTENING = ["tcp://[::]:0", "udp://[::]:0", "tcp://127.0.0.1:0", "udp://127.0.0.1:0"];

/** What may stand on stderr: that clients did not wait for their answers. */
const EXPECTED = /^meari-server: (udp:\S+: send to \S+ failed: .*ECONNREFUSED.*|\d+ more failures?, not shown)$/;

for (const workers of [1, 2]) {
  const clientsOf = `clients that do everything at random, with --workers ${workers}`;
  bounded(`meari-server echoes every byte of ${clientsOf}`, async () => {
    const args = [...LISTENING, "--engine", "native", "--workers", `${workers}`, "--log", "json"];
    const { server, endpoints } = await startMeariServer(args, { count: LISTENING.length });
    await using _server = server;
    const targets = endpoints.flatMap((each) =>
      each.includes("[::]") ? [each.replace("[::]", "[::1]"), each.replace("[::]", "127.0.0.1")] : [each]
    );
    await using clients = new Running([needs(PYTHON), CLIENTS, SEED, ...targets]);
    const sockets = openDescriptors(server.pid, "socket").length;
    const total = { connections: 0, least: 0, most: 0 };
    const descriptors: number[] = [];
    const memory: number[] = [];
    const over = performance.now() + SECONDS * 1000 / 2;
    for (let round = 0; round < ROUNDS.length || performance.now() < over; round++) {
      const from = clients.stdout.text.length;
      await clients.type(`${ROUNDS[round % ROUNDS.length]!.join(" ")}\n`);
      const [line] = await clients.stdout.until(/^.*\n/, from).catch((error) => {
        throw new Error(`seed ${SEED}: ${clients.stderr.text || error.message}; the server says ${server.stderr.text}`);
      });
      const counts: typeof total = JSON.parse(line);
      for (const name of ["connections", "least", "most"] as const) total[name] += counts[name];
      const all = `seed ${SEED}, round ${round}: connections of the server are left over`;
      await eventually(all, () => openDescriptors(server.pid, "socket").length <= sockets);
      descriptors.push(openDescriptors(server.pid).length);
      memory.push(residentMemory(server.pid));
    }
    assert(Math.max(...descriptors) <= descriptors[0]!, `seed ${SEED}: descriptors are left over: ${descriptors}`);
    const warm = Math.max(...memory.slice(0, ROUNDS.length));
    assert(Math.max(...memory) <= warm + GROWTH, `seed ${SEED}: the memory grows, in KiB: ${memory}`);
    server.kill("SIGTERM");
    assertEquals(await server.exit(), 0);
    assertEquals(server.stderr.lines.filter((line) => !EXPECTED.test(line)), []);
    const { event, connections, bytes } = JSON.parse(server.stdout.lines.at(-1)!);
    assertEquals([event, connections], ["stopped", total.connections], `seed ${SEED}`);
    assert(total.least <= bytes && bytes <= total.most, `seed ${SEED}: ${bytes} of ${total.least} to ${total.most}`);
  }, { ignore: Deno.build.os !== "linux", seconds: SECONDS + 60 });
}
