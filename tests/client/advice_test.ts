import { assertEquals } from "@std/assert";
import { adviceFor } from "../../client/advice.ts";
import type { Endpoint } from "../../lib/endpoint.ts";
import { EndpointError, type Transport, transports } from "../../lib/transport/mod.ts";
import { ownTransport } from "../helpers/own_transport.ts";

const tcp: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };
const unix: Endpoint = { transport: "unix", path: "/run/a.sock" };

function advice(code: string, endpoint: Endpoint): string | undefined {
  return adviceFor(new EndpointError("connect to", endpoint, Object.assign(new Error(), { code })));
}

Deno.test("adviceFor() tells the way out when a server cannot be reached", () => {
  const start = "is the server running? start one with meari-server";
  assertEquals([advice("ECONNREFUSED", tcp), advice("ENOENT", unix)], [start, start]);
  assertEquals(advice("EACCES", unix), "check the rights of the socket file");
  assertEquals(advice("EPROTOTYPE", unix), "use unixgram:// for the other kind");
  assertEquals(advice("EPROTOTYPE", { ...unix, transport: "unixgram" }), "use unix:// for the other kind");
  {
    using _row = ownTransport("unixmsg", { ...transports.get("unix"), kind: "message" } as Transport);
    assertEquals(advice("EPROTOTYPE", unix), "use unixgram:// or unixmsg:// for the other kind");
  }
  assertEquals(advice("ENOTFOUND", tcp), "check the spelling, or use an IP address");
  assertEquals(
    adviceFor(new EndpointError("connect to", tcp, new DOMException("", "TimeoutError"), 5000)),
    "a firewall may be in the way; --timeout allows more time",
  );
});

Deno.test("adviceFor() is silent when the error has no way out, or is about no endpoint", () => {
  assertEquals([advice("ENOENT", tcp), adviceFor(new Error("x")), adviceFor(undefined)], Array(3).fill(undefined));
});
