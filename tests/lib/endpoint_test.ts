import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Endpoint, formatEndpoint, parseEndpoint, parsePort } from "../../lib/endpoint.ts";
import { UsageError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { type EndpointOptions, transports } from "../../lib/transport/mod.ts";

const ALLOWED: EndpointOptions = {
  "no-quit": { help: "a switch", parse: () => true },
  ttl: { value: "N", help: "a number", parse: Number },
  name: { value: "NAME", help: "a text", parse: String },
};

const endpoints: fc.Arbitrary<Endpoint> = fc.tuple(
  fc.oneof(
    fc.record({
      transport: fc.constantFrom("tcp" as const, "udp" as const),
      host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant("fe80::1%eth0")),
      port: fc.nat(65_535),
    }),
    fc.record({
      transport: fc.constantFrom("unix" as const, "unixgram" as const),
      path: fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.webPath().map((path) => `/${path}`))
        .filter((path) => !path.includes("\0")),
    }),
  ),
  fc.record({ "no-quit": fc.constant(true), ttl: fc.nat(), name: fc.string({ unit: "binary" }) }, {
    requiredKeys: [],
    noNullPrototype: true,
  }),
).map(([place, options]) => Object.keys(options).length === 0 ? place : { ...place, options });

Deno.test("formatEndpoint() writes what parseEndpoint() reads back when the endpoint is any", () => {
  fc.assert(
    fc.property(endpoints, (endpoint) => {
      assertEquals(parseEndpoint(formatEndpoint(endpoint), { options: ALLOWED }), endpoint);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("formatEndpoint() writes nothing that a terminal acts on or hides when the endpoint is any", () => {
  const path = fc.string({ unit: fc.constantFrom("a", "/", "%", "\n", "\x1b", "\x9b", "\u202e", "\u{e0041}", "메") });
  const hostile = fc.oneof(
    path.filter((path) => path !== "").map((path) => ({ transport: "unix", path })),
    path.map((host) => ({ transport: "tcp", host, port: 7 })),
  );
  fc.assert(
    fc.property(fc.oneof(endpoints, hostile), (endpoint) => {
      const text = formatEndpoint(endpoint);
      assertEquals(escapeControls(text), text);
      assertEquals(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), false);
      if ("path" in endpoint) assertEquals(parseEndpoint(text, { options: ALLOWED }), endpoint);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("formatEndpoint() percent-encodes what would forge or hide output when it is in a path", () => {
  const texts: [path: string, text: string][] = [
    ["/x\n> client 10.0.0.9:1 said quit", "unix:///x%0A> client 10.0.0.9:1 said quit"],
    ["/\x1b]0;PWN\x07\x7f\x9b", "unix:///%1B]0;PWN%07%7F%C2%9B"],
    ["/\u202e\u2066\u200e\u061c", "unix:///%E2%80%AE%E2%81%A6%E2%80%8E%D8%9C"],
    ["/\u200b\u2060\ufeff\u00ad\u3164", "unix:///%E2%80%8B%E2%81%A0%EF%BB%BF%C2%AD%E3%85%A4"],
    ["/\u2028\u2029\u{e0041}", "unix:///%E2%80%A8%E2%80%A9%F3%A0%81%81"],
    ["/메아리 é.sock", "unix:///메아리 é.sock"],
  ];
  for (const [path, text] of texts) {
    assertEquals(formatEndpoint({ transport: "unix", path }), text);
    assertEquals(parseEndpoint(text), { transport: "unix", path });
  }
});

Deno.test("parseEndpoint() escapes what it repeats when it throws", () => {
  const hostile = "\x1b[2J\n\u202e";
  for (const text of [`own${hostile}://a:7`, `a${hostile}:7`, `:7?x${hostile}`, `:7${hostile}`, `unix://%${hostile}`]) {
    const { message } = assertThrows(() => parseEndpoint(text), UsageError);
    assertEquals(escapeControls(message), message);
    assertEquals(message.includes("\\x1b"), true);
  }
});

Deno.test("parseEndpoint() refuses a host when it has characters that are not seen", () => {
  for (const host of ["a\u200bb", "a\x07b", "\u202eb"]) {
    assertThrows(() => parseEndpoint(`tcp://${host}:7`), UsageError, "is not a host name");
  }
});

Deno.test("parseEndpoint() returns an endpoint that keeps its meaning or throws a UsageError when given any text", () => {
  const pieces = fc.constantFrom(
    "tcp",
    "unix",
    ":",
    "//",
    "/",
    "[",
    "]",
    "::1",
    "%",
    "%41",
    "?",
    "=",
    "7",
    "host",
    " ",
  );
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.array(pieces).map((all) => all.join("")));
  fc.assert(
    fc.property(text, (text) => {
      let endpoint;
      try {
        endpoint = parseEndpoint(text);
      } catch (error) {
        if (error instanceof UsageError) return;
        throw error;
      }
      const { options: _none, ...place } = endpoint;
      assertEquals<unknown>(parseEndpoint(formatEndpoint(endpoint)), place);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseEndpoint() fills in what is not written when the text is short", () => {
  const texts: [string, Endpoint][] = [
    ["tcp://", { transport: "tcp", host: "127.0.0.1", port: 65456 }],
    ["udp://", { transport: "udp", host: "127.0.0.1", port: 65456 }],
    ["tcp://host/", { transport: "tcp", host: "host", port: 65456 }],
    ["TCP://Host:7", { transport: "tcp", host: "Host", port: 7 }],
    ["host", { transport: "tcp", host: "host", port: 65456 }],
    ["host:7", { transport: "tcp", host: "host", port: 7 }],
    [":7", { transport: "tcp", host: "127.0.0.1", port: 7 }],
    [":0", { transport: "tcp", host: "127.0.0.1", port: 0 }],
    ["[::]", { transport: "tcp", host: "::", port: 65456 }],
    ["udp://[fe80::1%eth0]:7", { transport: "udp", host: "fe80::1%eth0", port: 7 }],
    ["tcp://7", { transport: "tcp", host: "7", port: 65456 }],
    ["unix:///run/meari.sock", { transport: "unix", path: "/run/meari.sock" }],
    ["unix:/run/meari.sock", { transport: "unix", path: "/run/meari.sock" }],
    ["unix:meari.sock", { transport: "unix", path: "meari.sock" }],
    ["unixgram://meari.sock", { transport: "unixgram", path: "meari.sock" }],
    ["unix:///tmp/a%20b%3f%25", { transport: "unix", path: "/tmp/a b?%" }],
  ];
  for (const [text, endpoint] of texts) assertEquals(parseEndpoint(text), endpoint, text);
});

Deno.test("parseEndpoint() takes the given defaults when the text is silent, and only then", () => {
  const defaults = { transport: "udp", host: "::1", port: 7 } as const;
  assertEquals(parseEndpoint("host", defaults), { transport: "udp", host: "host", port: 7 });
  assertEquals(parseEndpoint(":9", defaults), { transport: "udp", host: "::1", port: 9 });
  assertEquals(parseEndpoint("tcp://", defaults), { transport: "tcp", host: "::1", port: 7 });
  assertEquals(parseEndpoint("tcp://host:9", defaults), { transport: "tcp", host: "host", port: 9 });
});

Deno.test("parseEndpoint() reads options behind a question mark when they are allowed", () => {
  const read = (text: string) => parseEndpoint(text, { options: ALLOWED }).options;
  assertEquals(read(":7?no-quit"), { "no-quit": true });
  assertEquals(read("tcp://host:7/?no-quit&ttl=3"), { "no-quit": true, ttl: 3 });
  assertEquals(read("unix:///tmp/a.sock?name=a%26b"), { name: "a&b" });
});

Deno.test("parseEndpoint() says what is wrong and what to write when the text is no endpoint", () => {
  const texts: [string, string][] = [
    ["", "it is empty"],
    ["7000", "for port 7000 of the default host write :7000"],
    ["::1", "write an IPv6 address in brackets, as in tcp://[::1]:65456"],
    ["tcp://::1:7", "write an IPv6 address in brackets, as in tcp://[::1]:65456"],
    ["[host", "write it like tcp://host:port, host:port or unix:///path"],
    ["[host]:7", "what stands in brackets is not an IPv6 address"],
    ["[]:7", "what stands in brackets is not an IPv6 address"],
    ["a host:7", '"a host" is not a host name'],
    ["tcp://user@host:7", '"user@host" is not a host name'],
    ["http://host", `there is no transport "http"; there are ${[...transports.keys()].join(", ")}`],
    ["unix:", "it needs a path, as in unix:///run/meari.sock"],
    ["unixgram://", "it needs a path, as in unixgram:///run/meari.sock"],
    ["unix:///tmp/%", "a % must be followed by two hex digits; write % itself as %25"],
    ["unix:///tmp/%00", "a path cannot hold a zero byte"],
    [":7?no-quit", 'it has no option "no-quit"; it takes none'],
  ];
  for (const [text, why] of texts) {
    assertEquals(
      assertThrows(() => parseEndpoint(text), UsageError).message,
      `"${text}" is not an endpoint: ${why}`,
    );
  }
});

Deno.test("parseEndpoint() names the options there are when one is unknown", () => {
  assertThrows(
    () => parseEndpoint(":7?quit", { options: ALLOWED }),
    UsageError,
    'it has no option "quit"; there is no-quit, ttl, name',
  );
});

Deno.test("parseEndpoint() refuses a value when the option is a switch", () => {
  assertThrows(
    () => parseEndpoint(":7?no-quit=false", { options: ALLOWED }),
    UsageError,
    "no-quit takes no value; leave it out to switch it off",
  );
});

Deno.test("parsePort() returns the number when it is 0 to 65535 and throws when it is anything else", () => {
  fc.assert(fc.property(fc.nat(65_535), (port) => assertEquals(parsePort(`${port}`), port)));
  for (const text of ["", "65536", "99999", "-1", "1.5", "0x7", "7 ", "http", "000007"]) {
    const error = assertThrows(() => parsePort(text), UsageError);
    assertEquals(error.message, `"${text}" is not a port; a port is a number from 0 to 65535`);
  }
});
