import { assert, assertEquals } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";

bounded("meari-server waits a little and serves everybody in the end when it has too many open files", async () => {
  const clients = 100;
  await using server = new ServerProcess(["tcp://127.0.0.1:0", "--log", "json"], { limits: "ulimit -n 64" });
  const endpoint = await server.endpoint();
  const conns = await Promise.all(Array.from({ length: clients }, () => connect(endpoint)));
  await Promise.all(conns.map(async (conn, i) => {
    await assertEchoes(conn, noise(100, i));
    // Nobody makes room for those who wait before the server has run out of files.
    await server.line((line) => line.includes('"failed"'));
    conn.close();
  }));
  server.signal("SIGTERM");
  assertEquals((await server.ended).code, 0);
  const log = server.lines.map((line) => JSON.parse(line));
  const failed = log.filter(({ event }) => event === "failed");
  for (const { operation, cause } of failed) assertEquals([operation, cause], ["accept", "too many open files"]);
  // It waits between attempts: without that there would be thousands.
  assert(failed.length < 50, `${failed.length} failures`);
  const { event, connections, bytes } = log.at(-1);
  assertEquals([event, connections, bytes], ["stopped", clients, clients * 100]);
}, { ignore: Deno.build.os === "windows" });
