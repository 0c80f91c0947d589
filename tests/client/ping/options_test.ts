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
