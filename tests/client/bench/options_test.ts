import { assertEquals, assertThrows } from "@std/assert";
import { planOf } from "../../../client/bench/bench.ts";
import { parseBenchArgs } from "../../../client/bench/options.ts";
import { UsageError } from "../../../lib/errors.ts";

Deno.test("parseBenchArgs() has a load of ten seconds where nothing is said", () => {
  const { endpoints, load } = parseBenchArgs([]);
  assertEquals(endpoints, [{ transport: "tcp", host: "127.0.0.1", port: 65456 }]);
  // What the help says of the defaults holds for the engine too.
  assertEquals(planOf(endpoints[0]!, load), planOf(endpoints[0]!, {}));
  const { connections, size, depth, rate, duration, messages, warmup } = planOf(endpoints[0]!, load);
  assertEquals(
    { connections, size, depth, rate, duration, messages, warmup },
    { connections: 1, size: 64, depth: 1, rate: undefined, duration: 10_000, messages: undefined, warmup: 0 },
  );
});

Deno.test("parseBenchArgs() reads counts, sizes and times", () => {
  const { endpoints, rounds, load } = parseBenchArgs(
    ["-n", "1M", "--rate", "20k", "-s", "64KiB", "--rounds", "3", ":7001", ":7002"],
  );
  assertEquals(endpoints.length, 2);
  assertEquals([load.messages, load.rate, load.size, rounds], [1e6, 20_000, 65_536, 3]);
  assertEquals(planOf(endpoints[0]!, load).duration, Infinity);
  assertEquals(parseBenchArgs([":7001", ":7002"]).load.duration, 2000);
  assertEquals(parseBenchArgs(["-u"]).endpoints[0]!.transport, "udp");
  const faults =
    parseBenchArgs(["--no-verify", "--reconnect", "--timeout", "1s", "-W", "2s", "-t", "2", "-c", "3"]).load;
  assertEquals(faults, {
    ...parseBenchArgs([]).load,
    verify: false,
    reconnect: true,
    timeout: 1000,
    wait: 2000,
    threads: 2,
    connections: 3,
  });
});

for (
  const [args, message] of [
    [["a", "b", "c"], "two endpoints at the most"],
    [["-d", "1s", "-n", "5"], "do not go together"],
    [["--rate", "5", "--depth", "2"], "--depth is for a load without --rate"],
    [["--rounds", "2"], "--rounds goes with two endpoints"],
    [["-t", "2"], "needs as many connections"],
    [["-c", "0"], "out of range"],
    [["--rate", "0"], "out of range"],
    [["-s", "0"], "carries no empty messages"],
    [["-u", "-s", "65508"], "at most 65507 bytes"],
    [["-s", "262145", "unixgram:///a"], "--size: a message to unixgram:///a has at most 262144 bytes"],
    [["--hdr", "-"], "name a file"],
    [["--html", ""], "name a file"],
    [["tcp://:0"], "port 0"],
  ] as const
) {
  Deno.test(`parseBenchArgs() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parseBenchArgs(args), UsageError, message);
  });
}
