import { assertEquals, assertMatch } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { program, RunningMeari, start, startMeariServer } from "../helpers/meari.ts";
import { needs } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const MEASURING = {
  ping: { args: ["ping", "-i", "10ms"], result: /^\d+ sent, \d+ received, 0 lost/m },
  sweep: { args: ["ping", "--sweep", "1:60000:1"], result: /^largest datagram that comes back: /m },
  bench: { args: ["bench", "-d", "1h"], result: /^messages {2}[1-9].*\n(.*\n)+no faults/m },
};

/** A server of Unix datagrams, whose clients have a file each, and a folder for these. */
async function serveDatagrams() {
  const folder = new TempFolder();
  const { server, endpoints } = await startMeariServer([`unixgram://${folder.file("s.sock")}`]);
  const tmp = folder.file("tmp");
  Deno.mkdirSync(tmp);
  const files = () => [...Deno.readDirSync(tmp)].length;
  return {
    endpoint: endpoints[0]!,
    env: { TMPDIR: tmp },
    files,
    /** Waits until a load is under way: with one message in flight, the third goes out after two answers. */
    isLoaded: () => server.stdout.until(/(> echoed[^]*){3}/),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

for (
  const [mode, signal] of [
    ["ping", "SIGHUP"],
    ["sweep", "SIGHUP"],
    ["sweep", "SIGQUIT"],
    ["bench", "SIGHUP"],
    ["bench", "SIGQUIT"],
  ] as const
) {
  bounded(`meari prints its result and leaves no file behind when ${signal} ends a ${mode}`, async () => {
    await using served = await serveDatagrams();
    const { args, result } = MEASURING[mode];
    await using client = start("meari", [...args, served.endpoint], { env: served.env });
    await (mode === "bench" ? served.isLoaded() : client.stdout.until(/RTT|time=/));
    client.kill(signal);
    assertEquals([await client.exit(), client.stderr.text, served.files()], [0, "", 0]);
    assertMatch(client.stdout.text, result);
  }, { ignore: Deno.build.os === "windows" });
}

bounded("meari goes on at SIGHUP when nohup has started it", async () => {
  await using served = await serveDatagrams();
  const args = ["ping", "-i", "10ms", served.endpoint];
  await using client = new RunningMeari([needs("nohup"), ...program("meari"), ...args], { env: served.env });
  await client.stdout.until("seq=2");
  client.kill("SIGHUP");
  const at = client.stdout.text.length;
  await client.stdout.until("seq=", at);
  await client.stdout.until("seq=", at + 200);
  client.kill("SIGINT");
  assertEquals([await client.exit(), served.files()], [0, 0]);
}, { ignore: Deno.build.os !== "linux" });
