import { assertEquals, assertThrows } from "@std/assert";
import {
  describeCause,
  EchoError,
  errorCode,
  ExitCode,
  isUnknownHost,
  MeariError,
  UsageError,
} from "../../lib/errors.ts";

function withCode(code: unknown, message = "it failed (os error 1)"): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("MeariError and its kinds carry their exit code when they end a program", () => {
  const [failed, usage, mismatch] = [new MeariError("a"), new UsageError("b"), new EchoError("c")];
  assertEquals([failed.exitCode, usage.exitCode, mismatch.exitCode], [1, 2, 3]);
  assertEquals(ExitCode, { ok: 0, failed: 1, usage: 2, mismatch: 3 });
  assertEquals([failed.name, usage.name, mismatch.name], ["MeariError", "UsageError", "EchoError"]);
  assertEquals([usage instanceof MeariError, mismatch instanceof MeariError], [true, true]);
});

Deno.test("errorCode() returns the code when an error has one in text", () => {
  assertEquals(errorCode(withCode("EPIPE")), "EPIPE");
  for (const other of [withCode(7), new Error("a"), "EPIPE", { code: "EPIPE" }, null, undefined]) {
    assertEquals(errorCode(other), undefined);
  }
});

Deno.test("describeCause() says it in words when the code is known", () => {
  const words: [string, string][] = [
    ["ECONNREFUSED", "connection refused"],
    ["EADDRINUSE", "address already in use"],
    ["EMFILE", "too many open files"],
    ["EMSGSIZE", "message too long"],
    ["EINVAL", "invalid argument"],
    ["ENAMETOOLONG", "name too long"],
    ["ENOTCONN", "not connected"],
    ["EROFS", "read-only file system"],
  ];
  for (const [code, text] of words) assertEquals(describeCause(withCode(code)), text);
});

Deno.test("describeCause() takes the first line without its number when the code is unknown", () => {
  assertEquals(
    describeCause(withCode("EXDEV", "Invalid cross-device link (os error 18)")),
    "Invalid cross-device link",
  );
  assertEquals(
    describeCause(new Error("No such device or address (os error 6): open '/dev/tty'")),
    "No such device or address",
  );
  assertEquals(describeCause(new Error("first\nsecond")), "first");
});

Deno.test("describeCause() still says something when an error has no words or is none", () => {
  assertEquals(describeCause(new TypeError("")), "TypeError");
  assertEquals(describeCause("plain text"), "plain text");
  assertEquals(describeCause(undefined), "undefined");
});

Deno.test("describeCause() says that time ran out when the error is a TimeoutError", () => {
  assertEquals(describeCause(new DOMException("Signal timed out.", "TimeoutError")), "timed out");
});

Deno.test("isUnknownHost() is true when a lookup failed, in Deno's words or in those of node:dns", () => {
  const failed = [
    new Error("failed to lookup address information: Name or service not known"),
    new Error("No such host is known. (os error 11001)"),
    withCode("ENOTFOUND", "getaddrinfo ENOTFOUND nowhere.invalid"),
  ];
  for (const error of failed) {
    assertEquals(isUnknownHost(error), true);
    assertEquals(describeCause(error), "no such host");
  }
  for (const error of [withCode("ECONNREFUSED"), new Error("other"), "failed to lookup address"]) {
    assertEquals(isUnknownHost(error), false);
  }
});

Deno.test("describeCause() and isUnknownHost() know what the system says when a name does not exist", async () => {
  const error = await Deno.connect({ hostname: "nowhere.invalid", port: 1 }).then((conn) => conn.close(), (e) => e);
  assertEquals([isUnknownHost(error), describeCause(error)], [true, "no such host"]);
});

Deno.test({
  name: "describeCause() says what to do when Deno keeps a device from a program",
  permissions: { read: true, write: true },
  ignore: Deno.build.os !== "linux",
  fn() {
    const error = assertThrows(() => Deno.openSync("/dev/full", { write: true }), Deno.errors.NotCapable);
    assertEquals(
      describeCause(error),
      "Deno opens devices and system files only for programs that may do everything; name a regular file",
    );
  },
});
