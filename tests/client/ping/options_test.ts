import { assertEquals, assertThrows } from "@std/assert";
import { parsePingArgs } from "../../../client/ping/options.ts";
import { UsageError } from "../../../lib/errors.ts";
import { framed } from "../../helpers/framed.ts";
import { ownTransport } from "../../helpers/own_transport.ts";

Deno.test("parsePingArgs() takes connections that carry messages for what they are", () => {
  using _row = ownTransport("framed", framed);
  assertEquals(parsePingArgs(["--connect", "framed://:7"]).connect, true);
  assertEquals(parsePingArgs(["-s", "0", "framed://:7"]).size, 0);
  const sweep = assertThrows(() => parsePingArgs(["--sweep", "1:9", "framed://:7"]), UsageError);
  assertEquals(sweep.message, "--sweep is for datagrams; framed://127.0.0.1:7 carries none");
});

Deno.test("parsePingArgs() refuses what is larger than a message of the transport may be", () => {
  const refusals: [args: string[], why: string][] = [
    [["-s", "65508", "udp://:7"], "--size: at most 65507 bytes over udp"],
    [["-s", "262145", "unixgram:/a"], "--size: at most 262144 bytes over unixgram"],
    [["-s", "17MiB", "tcp://:7"], "--size: at most 16777216 bytes over tcp"],
    [["--sweep", "1:65508", "udp://:7"], "--sweep: a datagram to udp://127.0.0.1:7 has at most 65507 bytes"],
    [["--sweep", "1:262145", "unixgram:/a"], "--sweep: a datagram to unixgram:///a has at most 262144 bytes"],
  ];
  for (const [args, why] of refusals) assertEquals(assertThrows(() => parsePingArgs(args), UsageError).message, why);
  assertEquals(parsePingArgs(["--sweep", "1:200000", "unixgram:/a"]).sweep?.max, 200_000);
});
