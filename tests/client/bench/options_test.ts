import { assertEquals, assertThrows } from "@std/assert";
import { parseBenchArgs } from "../../../client/bench/options.ts";
import { UsageError } from "../../../lib/errors.ts";

Deno.test("parseBenchArgs() has a load of ten seconds where nothing is said", () => {
  const { endpoints, connections, size, depth, rate, duration, messages, warmup, threads } = parseBenchArgs([]);
  assertEquals(endpoints, [{ transport: "tcp", host: "127.0.0.1", port: 65456 }]);
  assertEquals(
    { connections, size, depth, rate, duration, messages, warmup, threads },
    {
      connections: 1,
      size: 64,
      depth: 1,
      rate: undefined,
      duration: 10_000,
      messages: undefined,
      warmup: 0,
      threads: 1,
    },
  );
});

Deno.test("parseBenchArgs() reads counts, sizes and times", () => {
  const { endpoints, messages, duration, rate, size, rounds } = parseBenchArgs(
    ["-n", "1M", "--rate", "20k", "-s", "64KiB", "--rounds", "3", ":7001", ":7002"],
  );
  assertEquals(endpoints.length, 2);
  assertEquals([messages, duration, rate, size, rounds], [1e6, Infinity, 20_000, 65_536, 3]);
  assertEquals(parseBenchArgs([":7001", ":7002"]).duration, 2000);
  assertEquals(parseBenchArgs(["-u"]).endpoints[0]!.transport, "udp");
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
    [["-s", "17MiB", "unixgram:///a"], "at most 16 MiB"],
    [["--hdr", "-"], "name a file"],
    [["--html", ""], "name a file"],
    [["tcp://:0"], "port 0"],
  ] as const
) {
  Deno.test(`parseBenchArgs() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parseBenchArgs(args), UsageError, message);
  });
}
