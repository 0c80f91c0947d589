import { assertEquals } from "@std/assert";
import { formatAddress, formatHostPort, plainHost } from "../../../lib/transport/mod.ts";

Deno.test("formatAddress() writes an address as people do when it is of any kind", () => {
  const tcp = (hostname: string) => formatAddress({ transport: "tcp", hostname, port: 7 });
  assertEquals([tcp("127.0.0.1"), tcp("::1"), tcp("::ffff:10.0.0.1")], ["127.0.0.1:7", "[::1]:7", "10.0.0.1:7"]);
  const unix = (path: string | null) => formatAddress({ transport: "unix", path });
  assertEquals([unix("/run/a.sock"), unix(""), unix(null)], ["/run/a.sock", "(unnamed)", "(unnamed)"]);
});

Deno.test("plainHost() undoes the mapped form when the address is IPv4, and leaves others alone", () => {
  const hosts = ["::ffff:127.0.0.1", "::FFFF:10.0.0.1", "127.0.0.1", "::1", "::ffff:1", "fe80::ffff:1"];
  const plain = ["127.0.0.1", "10.0.0.1", "127.0.0.1", "::1", "::ffff:1", "fe80::ffff:1"];
  assertEquals(hosts.map(plainHost), plain);
});

Deno.test("formatHostPort() puts brackets around the host when it is an IPv6 address", () => {
  const texts = ["127.0.0.1", "localhost", "::1"].map((host) => formatHostPort(host, 7));
  assertEquals(texts, ["127.0.0.1:7", "localhost:7", "[::1]:7"]);
});
