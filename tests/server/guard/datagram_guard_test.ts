import { assertEquals } from "@std/assert";
import { messages } from "../../../lib/cli/messages.ts";
import type { Address } from "../../../lib/transport/mod.ts";
import { DatagramGuard, type DatagramRefusal } from "../../../server/guard/datagram_guard.ts";
import { RepeatBudget } from "../../../server/guard/repeat_budget.ts";

const at = (hostname: string, port: number): Address => ({ transport: "udp", hostname, port });
const path = (path: string | null): Address => ({ transport: "unixpacket", path });
const own = [at("127.0.0.1", 65456), path("/run/meari.sock")];
const message = new TextEncoder().encode("hello");

Deno.test("DatagramGuard.refuse() says why when a datagram is not to be answered, and nothing when it is", () => {
  const guard = new DatagramGuard(own);
  const all: [Address, ReturnType<DatagramGuard["refuse"]>][] = [
    [at("127.0.0.1", 50_000), undefined],
    [at("::1", 65456), undefined],
    [at("127.0.0.1", 65456), "own address"],
    [at("192.0.2.1", 0), "no return address"],
    [path("/run/client.sock"), undefined],
    [path(null), "no return address"],
    [path(""), "no return address"],
    [path("/run/meari.sock"), "own address"],
  ];
  for (const [from, expected] of all) assertEquals([from, guard.refuse(message, from)], [from, expected]);
});

Deno.test("every reason of DatagramGuard.refuse() has its words in Korean", () => {
  // A reason that is missing here is an error of the type checker.
  const reasons: Record<DatagramRefusal, true> = {
    "no return address": true,
    "answering port": true,
    "own address": true,
    "repeats": true,
    "peer does not read": true,
  };
  const shown = Object.keys(reasons).map((reason) => messages.ko.refused("a", reason));
  assertEquals(shown.filter((line) => !/[가-힣]$/.test(line)), []);
});

Deno.test("DatagramGuard.refuse() answers no port of a service that would answer, and all others", () => {
  const guard = new DatagramGuard(own);
  const answering = Array.from({ length: 65_536 }, (_, port) => port)
    .filter((port) => guard.refuse(message, at("192.0.2.1", port)) === "answering port");
  assertEquals(answering, [7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 161, 389, 1900, 5353, 11211]);
  for (const host of ["127.0.0.1", "::1"]) assertEquals(guard.refuse(message, at(host, 7)), "answering port");
});

Deno.test("DatagramGuard.refuse() holds each sender to its repetitions", () => {
  for (const from of [at("192.0.2.1", 7777), path("/run/client.sock")]) {
    const guard = new DatagramGuard(own, new RepeatBudget({ repeats: 2 }));
    const refusals = Array.from({ length: 5 }, () => guard.refuse(message, from));
    assertEquals(refusals, [undefined, undefined, undefined, "repeats", "repeats"]);
  }
});
