import { assertEquals } from "@std/assert";
import type { Endpoint } from "../../lib/endpoint.ts";
import { EndpointError } from "../../lib/transport/mod.ts";
import { adviceFor } from "../../server/advice.ts";

const tcp: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 };
const unix: Endpoint = { transport: "unix", path: "/run/a.sock" };

function advice(code: string, endpoint: Endpoint): string | undefined {
  return adviceFor(new EndpointError("listen on", endpoint, Object.assign(new Error(), { code })));
}

Deno.test("adviceFor() tells the way out when an endpoint cannot be listened on", () => {
  assertEquals(advice("EADDRINUSE", unix), "a server is listening there; stop it, or choose another path");
  assertEquals(
    advice("EADDRINUSE", tcp),
    "stop the program that has it, choose another port with -p, or let the kernel choose with -p 0",
  );
  assertEquals(
    advice("EADDRNOTAVAIL", tcp),
    "use 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network",
  );
  assertEquals(advice("EACCES", tcp), "ports below 1024 need privileges; choose a higher one with -p");
  assertEquals(advice("EACCES", unix), "check the rights of the folder");
  assertEquals([advice("ENOENT", unix), advice("ENOENT", tcp)], ["make the folder first", undefined]);
  assertEquals(advice("ENOTFOUND", tcp), "check the spelling, or use an IP address of this machine");
});

Deno.test("adviceFor() is silent when the error has no way out, or is about no endpoint", () => {
  assertEquals([advice("EMFILE", tcp), adviceFor(new Error("x")), adviceFor(undefined)], Array(3).fill(undefined));
});
