import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { type Fault, faultyUdpPeer } from "../helpers/faulty_udp_peer.ts";
import { meari, start, startMeariServer } from "../helpers/meari.ts";

const COUNTS = ["sent", "received", "lost", "late", "duplicated", "reordered", "corrupted"];
const TIMES = ["min", "mean", "median", "p90", "p99", "max", "stddev"];

for (const transport of ["tcp", "udp"]) {
  bounded(`meari ping prints a line an answer and a summary over ${transport}`, async () => {
    const { server, endpoints } = await startMeariServer([`${transport}://127.0.0.1:0`]);
    await using _ = server;
    const place = endpoints[0]!;
    const { code, text, stderr } = await meari("meari", ["ping", "-c", "3", "-i", "10ms", "--histogram", place]);
    assertEquals([code, stderr], [0, ""]);
    const [title, first, , third, blank, heading, counts, rtt, jitter, bar] = text.split("\n");
    assertEquals(title, `PING ${place}: 64 bytes every 10ms`);
    const peer = place.replace(/^\w+:\/\//, "");
    assertMatch(first!, new RegExp(`^64 bytes from ${RegExp.escape(peer)}: seq=1 time=\\d+\\.\\d{3} ms$`));
    assertMatch(third!, /seq=3 time=/);
    assertEquals([blank, heading], ["", `--- ${place} ping statistics ---`]);
    assertMatch(counts!, /^3 sent, 3 received, 0 lost \(0%\), 0 duplicated, 0 reordered, 0 corrupted, 0 late, in /);
    assertMatch(rtt!, /^RTT ms: min [\d.]+, mean [\d.]+, median [\d.]+, p90 [\d.]+, p99 [\d.]+, max [\d.]+, stddev /);
    assertMatch(jitter!, /^jitter ms: RFC 3550 [\d.]+, mean IPDV [\d.]+$/);
    assertMatch(bar!, /█.*%/);
  });
}

bounded("meari ping --json prints one object, and with --samples one an answer", async () => {
  await using peer = faultyUdpPeer(["echo", "drop", "twice", "damage"]);
  const place = `udp://127.0.0.1:${peer.endpoint.port}`;
  const args = ["ping", "-c", "5", "-i", "10ms", "-W", "200ms", "--json", place];
  const plain = await meari("meari", args);
  assertEquals(plain.code, 3);
  const summary = JSON.parse(plain.text);
  assertEquals(Object.keys(summary).sort(), [...COUNTS, "rtt_us", "jitter_us", "duration_s"].sort());
  assertEquals(Object.keys(summary.rtt_us), TIMES);
  assertEquals(Object.keys(summary.jitter_us), ["rfc3550", "ipdv_mean"]);
  assertEquals(COUNTS.map((name) => summary[name]), [5, 3, 1, 0, 1, 0, 1]);

  const detailed = await meari("meari", [...args, "--samples"]);
  assertEquals(detailed.code, 0);
  const objects = detailed.text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(objects.length, 6);
  assertEquals(Object.keys(objects[0]), ["seq", "rtt_us", "bytes", "odd"]);
  assertEquals(objects.slice(0, 5).map(({ seq, bytes, odd }) => [seq, bytes, odd.length]), [
    [1, 64, 0],
    [2, 64, 0],
    [3, 64, 0],
    [4, 64, 0],
    [5, 64, 0],
  ]);
});

bounded("meari ping --fail-loss and --fail-above make it a check", async () => {
  const exitOf = async (script: Fault[], ...more: string[]) => {
    await using peer = faultyUdpPeer(script);
    const place = `udp://127.0.0.1:${peer.endpoint.port}`;
    const { code } = await meari("meari", ["ping", "-c", "10", "-i", "5ms", "-W", "300ms", ...more, place]);
    return code;
  };
  assertEquals(await exitOf(["drop"]), 3);
  assertEquals(await exitOf(["drop"], "--fail-loss", "10%"), 0);
  assertEquals(await exitOf(["drop", "drop"], "--fail-loss", "10%"), 3);
  assertEquals(await exitOf([{ delay: 100 }], "--fail-above", "99ms"), 3);
  assertEquals(await exitOf([], "--fail-above", "10s"), 0);
});

bounded("meari ping ends with its summary on Ctrl+C, and tells how it stands on SIGQUIT", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  await using ping = start("meari", ["ping", "-i", "10ms", endpoints[0]!]);
  await ping.stdout.until("seq=3 ");
  ping.kill("SIGQUIT");
  await ping.stderr.until(/meari ping: \d+\/\d+ answered, 0 lost \(0%\), min\/median\/p99\/max [\d./]+ ms\n/);
  ping.kill("SIGINT");
  assertEquals(await ping.exit(), 0);
  assertMatch(ping.stdout.text, /\n(\d+) sent, \1 received, 0 lost/);
}, { ignore: Deno.build.os === "windows" });

bounded("meari ping says that small probes cannot tell loss from reordering", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text } = await meari("meari", ["ping", "-s", "4", "-c", "2", "-i", "10ms", endpoints[0]!]);
  assertEquals(code, 0);
  assertStringIncludes(text, "2 sent, 2 received");
  assertStringIncludes(text, "loss and reordering cannot be told apart");
});

bounded("meari ping --sweep tells the largest datagram that comes back", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text } = await meari("meari", ["ping", "--sweep", "65000:65507:169", endpoints[0]!]);
  assertEquals(code, 0);
  assertEquals(text.match(/bytes: 3 of 3 came back/g)?.length, 4);
  assertStringIncludes(text, "largest datagram that comes back: 65507 bytes\nno loss at any size\n");
  const json = await meari("meari", ["ping", "--json", "--sweep", "0:2:1", endpoints[0]!]);
  const result = JSON.parse(json.text);
  assertEquals([result.largest_bytes, result.loss_from_bytes, result.sweep.length], [2, null, 3]);
  assertEquals(Object.keys(result.sweep[0]), ["bytes", "sent", "received", "lost", "rtt_us"]);
});

bounded("meari ping --connect measures connecting", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text } = await meari("meari", ["ping", "--connect", "-c", "2", "-i", "10ms", endpoints[0]!]);
  assertEquals(code, 0);
  assertMatch(text, /connected to 127\.0\.0\.1:\d+: seq=2 time=[\d.]+ ms/);
});

const WRONG: [args: string[], message: string][] = [
  [["--connect", "udp://:7"], "--connect is for streams; udp://127.0.0.1:7 has no connections"],
  [["--sweep", "1:10", "tcp://:7"], "--sweep is for datagrams"],
  [["--sweep", "10:1", "udp://:7"], "the smaller size comes first"],
  [["--sweep", "10", "udp://:7"], "is not a range of sizes"],
  [["--samples", ":7"], "--samples goes with --json"],
  [["--live", ":7"], "--live needs a terminal to draw on"],
  [["-s", "0", ":7"], "a stream, which carries no empty messages"],
  [["-s", "65508", "udp://:7"], "--size: at most 65507 bytes over udp"],
  [["-c", "0", ":7"], '"0" is too few'],
  [["--fail-loss", "101%", ":7"], "is not a percentage"],
  [["-f", "-i", "5ms", ":7"], "--flood has its own interval"],
  [[":7", ":8"], '":8" is one too many'],
];
for (const [args, message] of WRONG) {
  bounded(`meari ping explains what is wrong with ${args.join(" ")}`, async () => {
    const { code, stderr, text } = await meari("meari", ["ping", ...args]);
    assertEquals([code, text], [2, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trim().split("\n").length, 1);
  });
}

bounded("meari ping fails when nobody listens", async () => {
  const { code, stderr } = await meari("meari", ["ping", "tcp://127.0.0.1:1"]);
  assertEquals(code, 1);
  assert(stderr.startsWith("meari: cannot connect to tcp://127.0.0.1:1: connection refused"), stderr);
});
