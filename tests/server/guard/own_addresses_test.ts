import { assertEquals } from "@std/assert";
import type { Address } from "../../../lib/transport/mod.ts";
import { OwnAddresses } from "../../../server/guard/own_addresses.ts";

const at = (hostname: string, port: number): Address => ({ transport: "udp", hostname, port });
const path = (path: string | null): Address => ({ transport: "unixpacket", path });

/** An address of this machine besides those of its loopback, if it has one. */
const [other = "127.0.0.1"] = Deno.networkInterfaces().map(({ address }) => address)
  .filter((address) => !address.startsWith("127.") && address !== "::1");

Deno.test("OwnAddresses.has() tells the address of a socket from others when it is bound to one address", () => {
  const own = new OwnAddresses([at("127.0.0.1", 7000), at("::1", 7001), path("/run/a.sock")]);
  const all: [Address, boolean][] = [
    [at("127.0.0.1", 7000), true],
    [at("::ffff:127.0.0.1", 7000), true],
    [at("127.0.0.1", 7001), false],
    [at("127.0.0.2", 7000), false],
    [at(other === "127.0.0.1" ? "192.0.2.1" : other, 7000), false],
    [at("::1", 7001), true],
    [at("::1", 7000), false],
    [path("/run/a.sock"), true],
    [path("/run/b.sock"), false],
    [path(null), false],
  ];
  for (const [address, expected] of all) assertEquals([address, own.has(address)], [address, expected]);
});

Deno.test("OwnAddresses.has() takes every address of this machine for its own, and no other, when bound to all", () => {
  for (const every of ["0.0.0.0", "::"]) {
    const own = new OwnAddresses([at(every, 7000)]);
    for (const host of ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", other, ...every === "::" ? ["::1"] : []]) {
      assertEquals([host, own.has(at(host, 7000))], [host, true]);
      assertEquals([host, own.has(at(host, 7001))], [host, false]);
    }
    // For documentation alone (RFC 5737, RFC 3849).
    for (const host of ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"]) assertEquals(own.has(at(host, 7000)), false);
  }
});

Deno.test("OwnAddresses.has() looks at the machine's addresses once a second at the most", () => {
  const real = Deno.networkInterfaces;
  let looks = 0;
  Deno.networkInterfaces = () => {
    looks++;
    return real();
  };
  try {
    const own = new OwnAddresses([at("0.0.0.0", 7000)]);
    for (let i = 0; i < 1000; i++) own.has(at(`192.0.2.${i % 256}`, 7000));
    assertEquals(looks >= 1 && looks < 5, true, `${looks}`);
    for (let i = 0; i < 1000; i++) own.has(at(`192.0.2.${i % 256}`, 7001));
    assertEquals(looks < 5, true, `${looks}`);
  } finally {
    Deno.networkInterfaces = real;
  }
});

Deno.test("OwnAddresses.has() goes by the port alone when the machine's addresses cannot be had", () => {
  const real = Deno.networkInterfaces;
  Deno.networkInterfaces = () => {
    throw new Deno.errors.PermissionDenied("a sandbox forbids it");
  };
  try {
    assertEquals(new OwnAddresses([at("0.0.0.0", 7000)]).has(at("192.0.2.1", 7000)), true);
  } finally {
    Deno.networkInterfaces = real;
  }
});

Deno.test({
  name: "OwnAddresses.has() goes by the port alone when bound to all and the machine's addresses may not be looked at",
  permissions: { sys: false },
  fn: () => {
    const own = new OwnAddresses([at("0.0.0.0", 7000), at("127.0.0.1", 7001)]);
    assertEquals([own.has(at("192.0.2.1", 7000)), own.has(at("192.0.2.1", 7001))], [true, false]);
  },
});
