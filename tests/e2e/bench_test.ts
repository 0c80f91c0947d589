import { assert, assertEquals, assertGreaterOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import { HistogramLogReader } from "hdr-histogram-js";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort } from "../helpers/free_port.ts";
import { fullListener } from "../helpers/full_listener.ts";
import { meari, program, RunningMeari, start, startMeariServer } from "../helpers/meari.ts";
import { needs, PYTHON, run } from "../helpers/programs.ts";
import { exists, TempFolder } from "../helpers/temp_folder.ts";
import { DRIVER, KEYS, Terminal } from "../helpers/terminal.ts";

const FIELDS = [
  "endpoint",
  "messages",
  "bytes",
  "duration_s",
  "messages_per_s",
  "bytes_per_s",
  "lost",
  "late",
  "duplicate",
  "unfinished",
  "unfinished_bytes",
  "refused",
  "errors",
  "busy",
  "behind_us",
  "dropped",
  "latency_us",
];
const LATENCIES = ["min", "mean", "p50", "p90", "p99", "p99_9", "p99_99", "p99_999", "max"];

bounded("meari bench prints a result, as text, JSON, log and page", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "udp://127.0.0.1:0"], { count: 2 });
  await using _ = server;
  const tcp = endpoints.find((endpoint) => endpoint.startsWith("tcp"))!;
  const udp = endpoints.find((endpoint) => endpoint.startsWith("udp"))!;
  const text = await meari("meari", ["bench", "-c", "2", "-n", "500", tcp]);
  assertEquals([text.code, text.stderr], [0, ""]);
  const lines = text.text.split("\n");
  assertEquals(lines[0], `${tcp}, 2 connections, messages of 64 bytes, 1 in flight on each`);
  assertMatch(lines[1]!, /^messages {2}500 in [\d.]+m?s: [\d,]+\/s, [\d.]+ MB\/s each way$/);
  assertMatch(lines[4]!, /^ +p99\.9 [\d.]+[um]s, p99\.99 [\d.]+[um]s, p99\.999 [\d.]+[um]s$/);
  assertEquals([lines[5], lines[7]], ["no faults", ""]);
  assertMatch(lines[6]!, /^the load generator was busy \d+ % of the time/);

  using folder = new TempFolder();
  const [log, page] = [folder.file("run.hlog"), folder.file("report.html")];
  const args = ["bench", "--rate", "1k", "-d", "1.2s", "-c", "2", "-t", "2", "--json", "--hdr", log, "--html", page];
  const json = await meari("meari", [...args, udp]);
  assertEquals([json.code, json.stderr], [0, ""]);
  const result = JSON.parse(json.text);
  assertEquals(Object.keys(result), FIELDS);
  assertEquals(Object.keys(result.latency_us), LATENCIES);
  assertEquals([result.endpoint, result.messages, result.bytes, result.errors], [udp, 1200, 76_800, {}]);
  const reader = new HistogramLogReader(await Deno.readTextFile(log));
  let logged = 0;
  for (let histogram = reader.nextIntervalHistogram(); histogram !== null;) {
    logged += (histogram as { totalCount: number }).totalCount;
    histogram = reader.nextIntervalHistogram();
  }
  assertEquals(logged, 1200);
  const html = await Deno.readTextFile(page);
  assertStringIncludes(html, "<!DOCTYPE html>");
  assertStringIncludes(html, udp);
});

bounded("meari bench compares two servers", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0", "tcp://127.0.0.1:0"], { count: 2 });
  await using _ = server;
  using folder = new TempFolder();
  const log = folder.file("both.hlog");
  const args = ["bench", "-n", "200", "--rounds", "2", ...endpoints];
  const text = await meari("meari", args);
  assertEquals(text.code, 0);
  assertMatch(text.text.split("\n")[0]!, /^1\/2 tcp:\/\/127\.0\.0\.1:\d+: [\d,]+\/s, p50 [\d.]+[um]s, p99 /);
  assertMatch(text.text, /^first \/ second: .*\n {2}messages\/s +[\d.]+ \([\d.]+ to [\d.]+\)$/m);
  const json = JSON.parse((await meari("meari", [...args, "--json", "--hdr", log])).text);
  assertEquals(json.endpoints, endpoints);
  assertEquals(json.rounds.map((pair: { endpoint: string }[]) => pair.map(({ endpoint }) => endpoint)), [
    endpoints,
    endpoints,
  ]);
  assertEquals(Object.keys(json.ratio), ["messages_per_s", "latency_p50", "latency_p99"]);
  assert(json.ratio.messages_per_s.min <= json.ratio.messages_per_s.median);
  const lines = (await Deno.readTextFile(log)).split("\n");
  assertEquals(lines.filter((line) => line.startsWith("Tag=")).length, 4);
});

bounded("meari bench ends at Ctrl+C with the result so far", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using bench = start("meari", ["bench", "-d", "1h", "--json", endpoints[0]!]);
  await server.stdout.until("echoed");
  bench.kill("SIGINT");
  assertEquals(await bench.exit(), 0);
  assert(JSON.parse(bench.stdout.text).messages > 0);
}, { ignore: Deno.build.os === "windows" });

bounded("meari bench ends at Ctrl+C while it connects", async () => {
  await using hole = await fullListener();
  using folder = new TempFolder();
  const log = folder.file("run.hlog");
  Deno.writeTextFileSync(log, "an older log");
  for (const threads of ["1", "2"]) {
    const args = ["-c", "1000", "-t", threads, "--timeout", "1h", "--hdr", log, `:${hole.endpoint.port}`];
    await using terminal = new Terminal("meari", ["bench", ...args]);
    await terminal.shows(`tcp://127.0.0.1:${hole.endpoint.port} connecting`);
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("meari bench: interrupted before there was a result");
    await terminal.ends(1);
  }
  assertEquals(Deno.readTextFileSync(log), "an older log");
}, { ignore: Deno.build.os !== "linux" });

bounded("meari bench shows its progress on a terminal", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using terminal = new Terminal("meari", ["bench", "-d", "1h", "--warmup", "300ms", endpoints[0]!]);
  await terminal.shows(`${endpoints[0]} warming up`);
  await terminal.shows(/░ 0 % {2}[\d,]+\/s {2}p99 [\d.]+[um]s/);
  await terminal.type(KEYS.ctrlC);
  await terminal.shows("no faults");
  await terminal.ends(0);

  const narrow = ["sh", "-c", 'stty cols 40 && exec "$@"', "sh", ...program("meari")];
  await using small = new RunningMeari([needs(PYTHON), DRIVER, ...narrow, "bench", "-d", "1h", endpoints[0]!]);
  await small.stdout.until(/░ 0 % {2}[\d,]+\/s {2}p99 [\d.]+[um]s/);
  await small.type(KEYS.ctrlC);
  assertEquals(await small.exit(), 0);
  const lines = small.stdout.text.split("\r").filter((line) => line.endsWith("\x1b[K"));
  for (const line of lines) assertGreaterOrEqual(37, line.replace("\x1b[K", "").length, line);
}, { ignore: Deno.build.os === "windows" });

bounded("meari bench says that its server has died", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using bench = start("meari", ["bench", "-d", "1h", "-c", "4", "--json", endpoints[0]!]);
  await server.stdout.until("echoed");
  server.kill("SIGKILL");
  assertEquals(await bench.exit(), 3);
  const { messages, unfinished, refused, errors } = JSON.parse(bench.stdout.text);
  assert(messages > 0);
  assertEquals([unfinished, refused], [0, 0]);
  let broken = 0;
  for (const [cause, count] of Object.entries(errors)) {
    assertMatch(cause, /^(connection reset by the peer|the server closed the connection)$/);
    broken += count as number;
  }
  assertEquals(broken, 4);
});

bounded("meari bench shows what came back of a message that is longer than the load", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const args = ["bench", "-s", "1000GiB", "-d", "100ms", "--timeout", "200ms", endpoints[0]!];
  const { code, text, stderr } = await meari("meari", args);
  assertEquals([code, stderr], [0, ""]);
  const [head, messages, unfinished, faults] = text.split("\n");
  assertEquals(head, `${endpoints[0]}, 1 connection, messages of 1000 GiB, 1 in flight on each`);
  assertMatch(messages!, /^messages {2}0 in [\d.]+m?s: 0\/s, [\d,.]*[1-9][\d,.]* MB\/s each way$/);
  assertMatch(unfinished!, /^1 unfinished, of which [\d.]+ [MG]iB came back$/);
  assertEquals(faults, "no faults");
});

bounded("meari bench tells once of a log that cannot be written any more, and prints the result", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  using folder = new TempFolder();
  const [pipe, page] = [folder.file("pipe"), folder.file("page.html")];
  assertEquals((await run("mkfifo", [pipe])).code, 0);
  // It reads the head of the log and goes: the first interval finds nobody.
  const reading = run("sed", ['/^"StartTimestamp"/q', pipe]);
  const args = ["bench", "-d", "2.2s", "--json", "--hdr", pipe, "--html", page, endpoints[0]!];
  const { code, text, stderr } = await meari("meari", args);
  assertMatch((await reading).text, /^#\[meari bench /);
  assertEquals(code, 1);
  assertMatch(stderr, /^meari bench: cannot write \S+pipe: .+\n$/);
  assert(JSON.parse(text).messages > 0);
  assertStringIncludes(await Deno.readTextFile(page), "<!DOCTYPE html>");
}, { ignore: Deno.build.os === "windows" });

bounded("meari bench says in one line why it cannot run", async () => {
  for (const threads of ["1", "2"]) {
    const refused = await meari("meari", ["bench", "-c", "2", "-t", threads, `127.0.0.1:${freeTcpPort()}`]);
    assertEquals([refused.code, refused.text], [1, ""]);
    assertMatch(refused.stderr, /^meari bench: cannot connect to tcp:\S+: connection refused; .*meari-server\n$/);
  }
  const wrong = await meari("meari", ["bench", "--depth", "0"]);
  assertEquals([wrong.code, wrong.text], [2, ""]);
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  for (const option of ["--hdr", "--html"]) {
    const unwritable = await meari("meari", ["bench", "-n", "1", option, "/nonexistent/file", endpoints[0]!]);
    assertEquals([unwritable.code, unwritable.text], [1, ""]);
    assertMatch(unwritable.stderr, /^meari bench: cannot write \/nonexistent\/file: no such file or directory\n$/);
  }
  const help = await meari("meari", ["bench", "--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.text, "meari bench -c 64");
});

bounded("meari bench does not let the page replace the log, however they are named", async () => {
  using folder = new TempFolder();
  const log = folder.file("run.hlog");
  const [link, name] = [folder.file("link"), folder.file("other/../run.hlog")];
  const refused = async (hdr: string, html: string) => {
    const { code, text, stderr } = await meari("meari", ["bench", "-n", "1", "--hdr", hdr, "--html", html, ":1"]);
    const hint = "name another one for the page (meari bench --help shows how)";
    assertEquals([code, text, stderr], [2, "", `meari bench: --html: ${html} is the file of --hdr, too; ${hint}\n`]);
  };
  for (const html of [log, name]) await refused(log, html);
  assertEquals(exists(log), false);
  Deno.mkdirSync(folder.file("other"));
  Deno.writeTextFileSync(log, "an older log");
  Deno.linkSync(log, link);
  for (const html of [log, name, link]) await refused(log, html);
  assertEquals(Deno.readTextFileSync(log), "an older log");
});

bounded("meari bench says what to do where Deno does not open a device", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text, stderr } = await meari("meari", ["bench", "-n", "1", "--hdr", "/dev/full", endpoints[0]!]);
  assertEquals([code, text], [1, ""]);
  assertMatch(stderr, /^meari bench: cannot write \/dev\/full: .*; name a regular file\n$/);
}, { ignore: Deno.build.os !== "linux" });

bounded("meari bench says once that nobody is at a Unix datagram socket", async () => {
  using folder = new TempFolder();
  const path = folder.file("dead.sock");
  for (const why of ["no such file or directory", "connection refused"]) {
    for (const load of [["--depth", "8"], ["--rate", "1k"], ["-c", "4", "-t", "2"]]) {
      const { code, text, stderr } = await meari("meari", ["bench", "-d", "1h", ...load, `unixgram://${path}`]);
      assertEquals([code, text], [1, ""]);
      assertMatch(stderr, new RegExp(`^meari bench: cannot send to \\S+dead.sock: ${why}; .*meari-server\n$`));
    }
    // A socket file that its owner has left behind.
    if (why !== "connection refused") Deno.listenDatagram({ transport: "unixpacket", path }).close();
  }
}, { ignore: Deno.build.os === "windows" });

bounded("meari bench says how large a message is, to the byte where that matters", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  for (const [size, shown] of [["1", "1 byte"], ["64KiB", ""], ["65507", "65507 bytes"]] as const) {
    const { code, text, stderr } = await meari("meari", ["bench", "-n", "1", "-s", size, endpoints[0]!]);
    if (shown === "") {
      assertEquals([code, text], [2, ""]);
      assertMatch(stderr, /^meari bench: --size: a message to \S+ has at most 65507 bytes /);
    } else assertStringIncludes(text, `, 1 socket, messages of ${shown}, 1 in flight on each\n`);
  }
});
