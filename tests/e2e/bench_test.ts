import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { HistogramLogReader } from "hdr-histogram-js";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort } from "../helpers/free_port.ts";
import { meari, start, startMeariServer } from "../helpers/meari.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const KEYS = [
  "endpoint",
  "messages",
  "bytes",
  "duration_s",
  "messages_per_s",
  "bytes_per_s",
  "lost",
  "late",
  "duplicated",
  "errors",
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
  assertEquals(lines[0], `${tcp}, 2 connections, messages of 64 bytes, 1 under way on each`);
  assertMatch(lines[1]!, /^messages {2}500 in [\d.]+m?s: [\d,]+\/s, [\d.]+ MB\/s each way$/);
  assertMatch(lines[4]!, /^ +p99\.9 [\d.]+[um]s, p99\.99 [\d.]+[um]s, p99\.999 [\d.]+[um]s$/);
  assertEquals(lines.slice(5), ["no faults", ""]);

  using folder = new TempFolder();
  const [log, page] = [folder.file("run.hlog"), folder.file("report.html")];
  const args = ["bench", "--rate", "1k", "-d", "1.2s", "-c", "2", "-t", "2", "--json", "--hdr", log, "--html", page];
  const json = await meari("meari", [...args, udp]);
  assertEquals([json.code, json.stderr], [0, ""]);
  const result = JSON.parse(json.text);
  assertEquals(Object.keys(result), KEYS);
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

bounded("meari bench says in one line why it cannot run", async () => {
  const refused = await meari("meari", ["bench", `127.0.0.1:${freeTcpPort()}`]);
  assertEquals([refused.code, refused.text], [1, ""]);
  assertMatch(refused.stderr, /^meari: cannot connect to tcp:\S+: connection refused; .*\n$/);
  const wrong = await meari("meari", ["bench", "--depth", "0"]);
  assertEquals([wrong.code, wrong.text], [2, ""]);
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  for (const option of ["--hdr", "--html"]) {
    const unwritable = await meari("meari", ["bench", "-n", "1", option, "/nonexistent/file", endpoints[0]!]);
    assertEquals([unwritable.code, unwritable.text], [1, ""]);
    assertMatch(unwritable.stderr, /^meari: cannot write \/nonexistent\/file: no such file or directory\n$/);
  }
  const help = await meari("meari", ["bench", "--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.text, "meari bench -c 64");
});
