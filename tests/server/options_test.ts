import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { formatHelp } from "../../lib/cli/help.ts";
import { formatEndpoint } from "../../lib/endpoint.ts";
import { UsageError } from "../../lib/errors.ts";
import { startServer } from "../../server/mod.ts";
import { parseServerArgs, serverCommand } from "../../server/options.ts";

const places = (...args: string[]) => parseServerArgs(args).endpoints.flat().map(formatEndpoint);

Deno.test("parseServerArgs() serves TCP and UDP where the seed does when nothing is given", () => {
  const { endpoints: _, ...values } = parseServerArgs([]);
  assertEquals<unknown>(values, {
    host: "127.0.0.1",
    port: 65456,
    engine: "auto",
    workers: 1,
    "no-quit": false,
    once: false,
    grace: 5000,
    quiet: false,
    verbose: false,
    trace: false,
    log: "text",
    lang: undefined,
    help: false,
    version: false,
  });
  assertEquals(places(), ["tcp://127.0.0.1:65456", "udp://127.0.0.1:65456"]);
});

Deno.test("parseServerArgs() moves the default pair when host and port are given", () => {
  assertEquals(places("--host", "localhost", "-p", "0"), ["tcp://localhost:0", "udp://localhost:0"]);
  assertEquals(places("--host", "::1"), ["tcp://[::1]:65456", "udp://[::1]:65456"]);
  assertEquals(places("--host", "[::]", "-p7"), ["tcp://[::]:7", "udp://[::]:7"]);
});

Deno.test("parseServerArgs() has the default pair in one group, and what is named each in its own", () => {
  const groups = (...args: string[]) => parseServerArgs(args).endpoints.map((group) => group.map(formatEndpoint));
  assertEquals(groups("-p", "0"), [["tcp://127.0.0.1:0", "udp://127.0.0.1:0"]]);
  assertEquals(groups("tcp://:0", "udp://:0"), [["tcp://127.0.0.1:0"], ["udp://127.0.0.1:0"]]);
});

Deno.test("parseServerArgs() serves just what is named, and fills it in from host and port, when endpoints are given", () => {
  assertEquals(places(":7"), ["tcp://127.0.0.1:7"]);
  assertEquals(places("udp://", "tcp://other", "-p", "9", "--host", "::1"), ["udp://[::1]:9", "tcp://other:9"]);
  assertEquals(places("unix:///tmp/a.sock", "unixgram:b.sock"), ["unix:///tmp/a.sock", "unixgram://b.sock"]);
  assertEquals(places("tcp://:7?no-quit"), ["tcp://127.0.0.1:7?no-quit"]);
});

Deno.test("parseServerArgs() reads each option when it is given", () => {
  const { grace, verbose, once, log, lang, ...values } = parseServerArgs(
    ["--grace", "250ms", "-v", "--once", "--no-quit", "--log", "json", "--lang", "ko"],
  );
  assertEquals([grace, verbose, once, values["no-quit"], log, lang], [250, true, true, true, "json", "ko"]);
  assertEquals(parseServerArgs(["-q"]).quiet, true);
  assertEquals(parseServerArgs(["--trace"]).trace, true);
  for (const engine of ["auto", "native", "portable"]) {
    assertEquals(parseServerArgs(["--engine", engine]).engine, engine);
  }
  for (const workers of [1, 2, 128]) assertEquals(parseServerArgs(["--workers", `${workers}`]).workers, workers);
});

Deno.test("parseServerArgs() says what is wrong when it is called wrongly", () => {
  const calls: [string[], string][] = [
    [["-q", "-v"], "--quiet goes neither with --verbose nor with --trace"],
    [["-q", "--trace"], "--quiet goes neither with --verbose nor with --trace"],
    [["--log", "json", "--trace"], "--trace is for people; --log json has no hex dumps"],
    [["--log", "xml"], '--log: "xml" is none of text, json'],
    [["--lang", "fr"], '--lang: "fr" is none of en, ko'],
    [["--grace", "soon"], '--grace: "soon" is not a time; write it like 250ms, 5s or 2m'],
    [["--engine", "fast"], '--engine: "fast" is none of auto, native, portable'],
    [["--workers", "0"], '--workers: "0" is no number of workers; it must be between 1 and 128'],
    [["--workers", "129"], '--workers: "129" is no number of workers; it must be between 1 and 128'],
    [["--engine", "portable", "--workers", "2"], "--workers needs the native engine"],
    [["-p", "65536"], '-p: "65536" is not a port; a port is a number from 0 to 65535'],
    [["7000"], '"7000" is not an endpoint: for port 7000 of the default host write :7000'],
    [[":7?quit"], '":7?quit" is not an endpoint: it has no option "quit"; there is no-quit'],
    [["--onec"], "unknown option --onec; did you mean --once? meari-server --help lists them all"],
  ];
  for (const [args, message] of calls) {
    assertEquals(assertThrows(() => parseServerArgs(args), UsageError).message, message);
  }
});

Deno.test("serverCommand has a help that names every option, and examples that it can read itself", () => {
  const help = formatHelp(serverCommand);
  for (const name of Object.keys(serverCommand.options)) assertStringIncludes(help, `--${name} `);
  assertEquals(serverCommand.examples.length >= 3, true);
  for (const [call] of serverCommand.examples) {
    const [name, ...args] = call.split(" ");
    assertEquals(name, serverCommand.name);
    parseServerArgs(args);
  }
});

Deno.test("startServer() refuses a value of no-quit, which would not mean what it says", async () => {
  await assertRejects(
    () => startServer({ endpoints: ["tcp://127.0.0.1:0?no-quit=false"] }),
    UsageError,
    "takes no value",
  );
});
