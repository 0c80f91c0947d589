import { assert, assertEquals } from "@std/assert";
import { parseEndpoint } from "../../lib/endpoint.ts";
import { bounded } from "../helpers/bounded.ts";
import { program, RunningMeari } from "../helpers/meari.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";

bounded("meari-server waits a little and serves everybody in the end when it has too many open files", async () => {
  const clients = 100;
  const command = [...program("meari-server"), "tcp://127.0.0.1:0", "--log", "json"];
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
  const log = server.stdout.lines.map((line) => JSON.parse(line));
  const failed = log.filter(({ event }) => event === "failed");
  for (const { operation, cause } of failed) assertEquals([operation, cause], ["accept", "too many open files"]);
  // It waits between attempts: without that there would be thousands.
  assert(failed.length < 50, `${failed.length} failures`);
  const { event, connections, bytes } = log.at(-1);
  assertEquals([event, connections, bytes], ["stopped", clients, clients * 100]);
}, { ignore: Deno.build.os === "windows" });
