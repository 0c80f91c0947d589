import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { openLibc } from "../../../lib/native/libc.ts";
import {
  decodeSockaddr,
  encodeSockaddr,
  portOfSockaddr,
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN_BYTES,
} from "../../../lib/native/sockaddr_in.ts";

/** Registers a test that needs the C library. */
function test(name: string, run: (libc: NonNullable<ReturnType<typeof openLibc>>) => void): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    fn: () => {
      const libc = openLibc()!;
      try {
        run(libc);
      } finally {
        libc.close();
      }
    },
  });
}

test("encodeSockaddr() lays out addresses as linux/in.h and linux/in6.h have them", (libc) => {
  assertEquals([...encodeSockaddr(libc, { hostname: "127.0.0.2", port: 0x1234 })], [
    ...[2, 0, 0x12, 0x34, 127, 0, 0, 2],
    ...Array(8).fill(0),
  ]);
  assertEquals([...encodeSockaddr(libc, { hostname: "1:2::ff", port: 7 })], [
    ...[10, 0, 0, 7, 0, 0, 0, 0],
    ...[0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff],
    ...[0, 0, 0, 0],
  ]);
});

test("encodeSockaddr() refuses what is no IP address", (libc) => {
  for (const hostname of ["localhost", "256.0.0.1", "1.2.3", "", ":::", "fe80::1%lo"]) {
    assertThrows(() => encodeSockaddr(libc, { hostname, port: 7 }), TypeError, `"${hostname}" is not an IP address`);
  }
});

test("decodeSockaddr() reads back any address, wherever it is", (libc) => {
  const port = fc.nat(65_535), offset = fc.nat(40);
  fc.assert(fc.property(fc.ipV4(), port, offset, (hostname, port, at) => {
    const bytes = new Uint8Array(at + SOCKADDR_IN_BYTES);
    bytes.set(encodeSockaddr(libc, { hostname, port }), at);
    assertEquals([decodeSockaddr(libc, bytes, at), portOfSockaddr(bytes, at)], [{ hostname, port }, port]);
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), port, offset, (address, port, at) => {
    const bytes = new Uint8Array(at + SOCKADDR_IN6_BYTES);
    bytes.set([10, 0, port >> 8, port & 255], at);
    bytes.set(address, at + 8);
    const decoded = decodeSockaddr(libc, bytes, at);
    assertEquals(decoded.port, port);
    // The text is another way to write the same 16 bytes.
    assertEquals([...encodeSockaddr(libc, decoded).subarray(8, 24)], [...address]);
  }));
  for (const hostname of ["::", "::1", "::ffff:127.0.0.1", "2001:db8::1"]) {
    assertEquals(decodeSockaddr(libc, encodeSockaddr(libc, { hostname, port: 1 })), { hostname, port: 1 });
  }
});
