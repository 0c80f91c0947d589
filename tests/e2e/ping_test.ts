import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { type Fault, faultyUdpPeer } from "../helpers/faulty_udp_peer.ts";
import { fullListener } from "../helpers/full_listener.ts";
import { meari, program, RunningMeari, start, startMeariServer } from "../helpers/meari.ts";
import { EMULATED } from "../helpers/emulated.ts";
import { needs, PYTHON } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { DRIVER } from "../helpers/terminal.ts";

const COUNTS = ["sent", "received", "lost", "late", "duplicate", "reordered", "corrupted", "unrelated"];
const TIMES = ["min", "mean", "median", "p90", "p99", "max", "stddev"];

for (const transport of ["tcp", "udp"]) {
  bounded(`meari ping prints a line an answer and a summary over ${transport}`, async () => {
    const { server, endpoints } = await startMeariServer([`${transport}://127.0.0.1:0`]);
    await using _ = server;
    const place = endpoints[0]!;
    const { code, text, stderr } = await meari("meari", ["ping", "-c", "3", "-i", "10ms", "--histogram", place]);
    assertEquals([code, stderr], [0, ""]);
    const [title, first, , third, blank, heading, counts, rtt, ...more] = text.split("\n");
    const isWoken = transport === "udp" && Deno.build.os === "linux" && !EMULATED;
    if (isWoken) assertMatch(more.shift()!, /^wakeup ms, part of the RTT: median [\d.]+, p99 [\d.]+, max [\d.]+$/);
    const [jitter, bar] = more;
    assertEquals(title, `PING ${place}: 64 bytes every 10ms`);
    const peer = place.replace(/^\w+:\/\//, "");
    assertMatch(first!, new RegExp(`^64 bytes from ${RegExp.escape(peer)}: seq=1 time=\\d+\\.\\d{3} ms$`));
    assertMatch(third!, /seq=3 time=/);
    assertEquals([blank, heading], ["", `--- ${place} ping statistics ---`]);
    assertMatch(
      counts!,
      /^3 sent, 3 received, 0 lost \(0%\), 0 duplicate, 0 reordered, 0 corrupted, 0 late, 0 unrelated, in /,
    );
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
  const wakeup = Deno.build.os === "linux" && !EMULATED ? ["wakeup_us"] : [];
  assertEquals(
    Object.keys(summary).sort(),
    [...COUNTS, "rtt_us", ...wakeup, "jitter_us", "duration_s", "engine"].sort(),
  );
  assertEquals(summary.engine, Deno.build.os === "linux" ? "native" : "portable");
  assertEquals(Object.keys(summary.rtt_us), TIMES);
  assertEquals(Object.keys(summary.jitter_us), ["rfc3550", "ipdv_mean"]);
  assertEquals(COUNTS.map((name) => summary[name]), [5, 3, 1, 0, 1, 0, 1, 0]);

  const detailed = await meari("meari", [...args, "--samples"]);
  assertEquals(detailed.code, 0);
  const objects = detailed.text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(objects.length, 6);
  assertEquals(Object.keys(objects[0]), ["seq", "rtt_us", "bytes", "odd", ...wakeup]);
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

bounded("meari ping says what small probes do not tell, and counts in the singular", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  for (const [size, note] of [["1", "carry no sequence number"], ["0", "loss and reordering cannot be told apart"]]) {
    const { code, text } = await meari("meari", ["ping", "-s", size!, "-c", "2", "-i", "10ms", endpoints[0]!]);
    assertEquals(code, 0);
    assertStringIncludes(text, "2 sent, 2 received");
    assertStringIncludes(text, note!);
    if (size === "1") assertMatch(text, /: 1 byte every 10ms\n1 byte from /);
  }
});

bounded("meari ping exits with 3 for any answer that is not what was sent", async () => {
  const damaged: Fault = (probe) => [probe.with(20, probe[20]! ^ 1), probe];
  const stranger: Fault = (probe) => [probe, new Uint8Array(5)];
  const exits = async (fault: Fault) => {
    await using peer = faultyUdpPeer([fault]);
    const place = `udp://127.0.0.1:${peer.endpoint.port}`;
    return await meari("meari", ["ping", "-c", "3", "-i", "10ms", place]);
  };
  const corrupted = await exits(damaged);
  assertEquals([corrupted.code, corrupted.stderr], [
    3,
    "meari ping: a probe that was received had a corrupted answer as well\n",
  ]);
  assertMatch(corrupted.text, /seq=1 byte 21 is wrong \(corrupted\)\n.*seq=1 time=[\d.]+ ms \(duplicate\)\n/);
  assertStringIncludes(corrupted.text, "3 sent, 3 received, 0 lost (0%), 1 duplicate, 0 reordered, 0 corrupted");
  const unrelated = await exits(stranger);
  assertEquals([unrelated.code, unrelated.stderr], [3, ""]);
  assertMatch(unrelated.text, /\n5 bytes from [\d.:]+: not an answer to any probe \(unrelated\)\n/);
  assertStringIncludes(unrelated.text, "0 corrupted, 0 late, 1 unrelated, in ");
});

bounded("meari ping ends at once on Ctrl+C while it connects", async () => {
  await using listener = await fullListener();
  const place = `tcp://127.0.0.1:${listener.endpoint.port}`;
  await using ping = start("meari", ["ping", "--timeout", "1h", place]);
  await listener.isConnecting();
  ping.kill("SIGINT");
  assertEquals(await ping.exit(), 1);
  assertEquals([ping.stdout.text, ping.stderr.text], ["", "meari ping: interrupted before there was a result\n"]);
}, { ignore: Deno.build.os !== "linux" });

bounded("meari ping does not call it well when it ended before any answer was due", async () => {
  await using peer = faultyUdpPeer(Array(10).fill("drop"));
  const place = `udp://127.0.0.1:${peer.endpoint.port}`;
  const ended = "meari ping: ended before there was a result: no answer came, and each is waited for 10s (-W)\n";
  const { code, text, stderr } = await meari("meari", ["ping", "-w", "100ms", "-W", "10s", place]);
  assertEquals([code, stderr], [1, ended]);
  assertStringIncludes(text, "0 sent, 0 received, 0 lost");
  await using ping = start("meari", ["ping", "-i", "1h", "-W", "10s", place]);
  await ping.stdout.until("PING");
  ping.kill("SIGINT");
  assertEquals([await ping.exit(), ping.stderr.text], [1, ended]);
});

bounded("meari ping says once that nobody is at the path of a Unix datagram socket, in every mode", async () => {
  using folder = new TempFolder();
  const path = folder.file("server.sock");
  Deno.listenDatagram({ transport: "unixpacket", path }).close();
  for (const mode of [[], ["-i", "1ms"], ["-f"], ["--json", "--samples"], ["--sweep", "1:100"]]) {
    const { code, text, stderr } = await meari("meari", ["ping", ...mode, `unixgram://${path}`]);
    assertEquals(code, 1);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertMatch(stderr, /^meari ping: cannot send to unixgram:\/\/.*server\.sock: .*is the server running\?/);
    assertEquals(text.replace(/^PING .*\n/, ""), "");
  }
}, { ignore: Deno.build.os === "windows" });

bounded("meari ping tells what it measured when the server goes, and why it ended", async () => {
  using folder = new TempFolder();
  const { server, endpoints } = await startMeariServer([`unixgram://${folder.file("server.sock")}`]);
  await using _ = server;
  await using ping = start("meari", ["ping", "--json", "--samples", "-i", "5ms", endpoints[0]!]);
  await ping.stdout.until('"seq":3,');
  server.kill("SIGTERM");
  assertEquals(await ping.exit(), 1);
  const { sent, received, lost, corrupted, finding } = JSON.parse(ping.stdout.lines.at(-1)!);
  assertMatch(finding, /^cannot send to unixgram:.*server\.sock: /);
  assertEquals(ping.stderr.text, `meari ping: ${finding}\n`);
  assert(received >= 3 && sent === received + corrupted + lost);
}, { ignore: Deno.build.os === "windows" });

bounded("meari ping --live shows what is lost while no answer comes", async () => {
  await using peer = faultyUdpPeer(Array(1000).fill("drop"));
  const place = `udp://127.0.0.1:${peer.endpoint.port}`;
  await using terminal = new NarrowTerminal(["ping", "--live", "-i", "10ms", "-W", "10ms", "-w", "2s", place]);
  await terminal.stdout.until(/\r0\/\d+ answered, [1-9]\d* lost \(100%\)/);
}, { ignore: Deno.build.os === "windows" });

bounded("meari ping --live and --histogram keep within 40 columns", async () => {
  const { server, endpoints } = await startMeariServer(["udp://127.0.0.1:0"]);
  await using _ = server;
  await using terminal = new NarrowTerminal(["ping", "--live", "--histogram", "-c", "40", "-i", "10ms", endpoints[0]!]);
  await terminal.exit();
  const drawn = terminal.stdout.text.split("\x1b[K").map((text) => text.slice(text.lastIndexOf("\r") + 1))
    .filter((line) => line.startsWith("seq="));
  assert(drawn.length > 1);
  for (const line of drawn) assert(line.includes(" lost (") && line.length < 40, line);
  const bars = terminal.stdout.text.split("\r\n").filter((line) => line.includes("█") && line.endsWith("%"));
  assert(bars.length > 0, terminal.stdout.text);
  for (const bar of bars) assert(bar.length <= 40, bar);
}, { ignore: Deno.build.os === "windows" });

/** meari in a terminal of 40 columns. */
class NarrowTerminal extends RunningMeari {
  constructor(args: readonly string[]) {
    super([needs(PYTHON), DRIVER, "sh", "-c", 'stty cols 40; exec "$@"', "sh", ...program("meari"), ...args]);
  }
}

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

bounded("meari ping --sweep exits with 3 where something else came back", async () => {
  await using peer = faultyUdpPeer(Array(3).fill("damage"));
  const place = `udp://127.0.0.1:${peer.endpoint.port}`;
  const { code, text } = await meari("meari", ["ping", "--sweep", "50:51", "-W", "200ms", place]);
  assertEquals(code, 3);
  assertMatch(text, /\n +50 bytes: 0 of 3 came back {2}\(3 corrupted\)\n +51 bytes: 3 of 3 came back {2}RTT/);
});

bounded("meari ping --connect measures connecting", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const { code, text } = await meari("meari", ["ping", "--connect", "-c", "2", "-i", "10ms", endpoints[0]!]);
  assertEquals(code, 0);
  assertMatch(text, /connected to 127\.0\.0\.1:\d+: seq=2 time=[\d.]+ ms/);
});

const WRONG: [args: string[], message: string][] = [
  [["--connect", "udp://:7"], "--connect is for connections; udp://127.0.0.1:7 has none"],
  [["--sweep", "1:10", "tcp://:7"], "--sweep is for datagrams; tcp://127.0.0.1:7 carries none"],
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
  assert(stderr.startsWith("meari ping: cannot connect to tcp://127.0.0.1:1: connection refused"), stderr);
});
