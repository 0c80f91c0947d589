import { assertEquals, assertThrows } from "@std/assert";
import { parseTalkArgs } from "../../../client/talk/command.ts";
import { formatEndpoint } from "../../../lib/endpoint.ts";
import { UsageError } from "../../../lib/errors.ts";
import { transports } from "../../../lib/transport/mod.ts";
import { framed } from "../../helpers/framed.ts";
import { ownTransport } from "../../helpers/own_transport.ts";

const NAMES = [...transports.keys()].join(", ");

const endpointOf = (...args: string[]) => formatEndpoint(parseTalkArgs(args).endpoint);

Deno.test("parseTalkArgs() gives the defaults when there is no argument", () => {
  const { endpoint, eol, message, raw, verify, udp, timeout, retries, lang } = parseTalkArgs([]);
  assertEquals(endpoint, { transport: "tcp", host: "127.0.0.1", port: 65456 });
  assertEquals([eol, message, raw, verify, udp], [new Uint8Array(0), [], false, false, false]);
  assertEquals([timeout, retries, lang], [5000, 0, undefined]);
});

Deno.test("parseTalkArgs() reads the endpoint in each of its forms", () => {
  assertEquals(endpointOf("-u"), "udp://127.0.0.1:65456");
  assertEquals(endpointOf("example.com"), "tcp://example.com:65456");
  assertEquals(endpointOf(":7"), "tcp://127.0.0.1:7");
  assertEquals(endpointOf("--udp", "[::1]:7"), "udp://[::1]:7");
  assertEquals(endpointOf("-u", "udp://example.com:7"), "udp://example.com:7");
  assertEquals(endpointOf("unix:///run/meari.sock"), "unix:///run/meari.sock");
  assertEquals(endpointOf("unixgram:///run/meari.sock"), "unixgram:///run/meari.sock");
});

Deno.test("parseTalkArgs() reads values, and collects each --message in order", () => {
  const parsed = parseTalkArgs([
    ..."-u --eol crlf --timeout 250ms --retries 3 --lang ko --no-quit".split(" "),
    ...["-m", "one two", "--message=", "-m", "셋"],
  ]);
  assertEquals(parsed.message, ["one two", "", "셋"]);
  assertEquals([parsed.timeout, parsed.retries, parsed.lang, parsed["no-quit"]], [250, 3, "ko", true]);
  assertEquals(parsed.eol, new TextEncoder().encode("\r\n"));
  assertEquals(parseTalkArgs(["--eol", "lf"]).eol, new TextEncoder().encode("\n"));
});

const wrong: [args: string[], message: string][] = [
  [["a:1", "b:2"], 'one endpoint, please: "b:2" is one too many; -m "b:2" would send it as a message'],
  [["-u", "tcp://a:1"], "--udp contradicts tcp://a:1"],
  [["-u", "unix:///a"], "--udp contradicts unix:///a"],
  [["-u", "unixgram:///a"], "--udp contradicts unixgram:///a"],
  [[":0"], "nobody can be reached at port 0 of 127.0.0.1; it only lets a server choose a port"],
  [["--verify"], "--verify goes with --raw; the other modes compare anyway"],
  [["--verify", "-m", "a"], "--verify goes with --raw; the other modes compare anyway"],
  [
    ["--raw", "-u"],
    "--raw copies a stream, and udp://127.0.0.1:65456 carries datagrams; pipe lines into meari, or use -m",
  ],
  [
    ["--raw", "unixgram:///a"],
    "--raw copies a stream, and unixgram:///a carries datagrams; pipe lines into meari, or use -m",
  ],
  [["--raw", "-m", "a"], "--raw takes its bytes from stdin as they are; it goes with neither --message nor --eol"],
  [["--raw", "--eol", "lf"], "--raw takes its bytes from stdin as they are; it goes with neither --message nor --eol"],
  [["--retries", "1"], "--retries is for datagrams; over tcp nothing is lost on the way"],
  [["--retries", "1", "unix:///a"], "--retries is for datagrams; over unix nothing is lost on the way"],
  [["--retries", "many", "-u"], '--retries: "many" is not a whole number; write it like 100 or 20k'],
  [["--timeout", "soon"], '--timeout: "soon" is not a time; write it like 250ms, 5s or 2m'],
  [["--timeout", "0"], '--timeout: "0" is out of range; from 1ms to 24 days'],
  [["--timeout", "600h"], '--timeout: "600h" is out of range; from 1ms to 24 days'],
  [["--eol", "cr"], '--eol: "cr" is none of none, lf, crlf'],
  [["--lang", "fr"], '--lang: "fr" is none of en, ko'],
  [["--raw=yes"], "--raw takes no value"],
  [["-m"], "-m needs a value: -m TEXT"],
  [["--timeuot", "1s"], "unknown option --timeuot; did you mean --timeout? meari --help lists them all"],
  [["-x"], "unknown option -x; meari --help lists them all"],
  [["http://a"], `"http://a" is not an endpoint: there is no transport "http"; there are ${NAMES}`],
  [["tcp://:7?no-quit"], '"tcp://:7?no-quit" is not an endpoint: it has no option "no-quit"; it takes none'],
];

Deno.test("parseTalkArgs() takes connections that carry messages neither for streams nor for datagrams", () => {
  using _row = ownTransport("framed", framed);
  assertEquals(endpointOf("framed://:7"), "framed://127.0.0.1:7");
  const raw = assertThrows(() => parseTalkArgs(["--raw", "framed://:7"]), UsageError);
  const instead = "pipe lines into meari, or use -m";
  assertEquals(raw.message, `--raw copies a stream, and framed://127.0.0.1:7 carries messages; ${instead}`);
  const retries = assertThrows(() => parseTalkArgs(["--retries", "1", "framed://:7"]), UsageError);
  assertEquals(retries.message, "--retries is for datagrams; over framed nothing is lost on the way");
});

for (const [args, message] of wrong) {
  Deno.test(`parseTalkArgs() says what is wrong when called with ${args.join(" ")}`, () => {
    const error = assertThrows(() => parseTalkArgs(args), UsageError);
    assertEquals([error.message, error.exitCode], [message, 2]);
  });
}
