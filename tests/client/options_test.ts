import { assertEquals, assertThrows } from "@std/assert";
import { parseClientEndpoint, parseTimeout } from "../../client/options.ts";
import { formatEndpoint } from "../../lib/endpoint.ts";
import { UsageError } from "../../lib/errors.ts";

Deno.test("parseClientEndpoint() takes TCP for what has no transport, or UDP when told to", () => {
  const parsed = (text: string, udp = false) => formatEndpoint(parseClientEndpoint(text, udp));
  assertEquals([parsed(":7"), parsed(":7", true)], ["tcp://127.0.0.1:7", "udp://127.0.0.1:7"]);
  assertEquals(parsed("udp://a:7", true), "udp://a:7");
  assertEquals(parsed("unix:///run/meari.sock"), "unix:///run/meari.sock");
});

Deno.test("parseClientEndpoint() refuses what contradicts --udp, and port 0", () => {
  for (const text of ["tcp://a:1", "unix:///a", "unixgram:///a"]) {
    assertThrows(() => parseClientEndpoint(text, true), UsageError, `--udp contradicts ${text}`);
  }
  const nobody = "nobody can be reached at port 0 of 127.0.0.1; it only lets a server choose a port";
  assertThrows(() => parseClientEndpoint(":0", false), UsageError, nobody);
});

Deno.test("parseTimeout() takes what a timer can measure", () => {
  assertEquals([parseTimeout("1ms"), parseTimeout("2m"), parseTimeout("2147483647ms")], [1, 120_000, 2 ** 31 - 1]);
  for (const text of ["0", "0.9ms", "2147483648ms", "600h"]) {
    assertThrows(() => parseTimeout(text), UsageError, `"${text}" is out of range; from 1ms to 24 days`);
  }
});
