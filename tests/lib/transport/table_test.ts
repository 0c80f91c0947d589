import { assertEquals, assertThrows } from "@std/assert";
import { formatEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import { MeariError, UsageError } from "../../../lib/errors.ts";
import {
  type EndpointOption,
  isDatagram,
  isStream,
  LARGEST_MESSAGE,
  largestMessage,
  listOptions,
  type Transport,
  transportOf,
} from "../../../lib/transport/mod.ts";
import { parseCount } from "../../../lib/units.ts";
import { ownTransport } from "../../helpers/own_transport.ts";

const backlog: EndpointOption<number> = { value: "N", help: "how many may wait", parse: parseCount };
const name: EndpointOption<string> = { value: "NAME", help: "whom to ask for", parse: String };
const strict: EndpointOption<true> = { help: "no nonsense", parse: () => true };

const row: Transport = {
  kind: "stream",
  form: "inet",
  help: "pigeons",
  listenOptions: { backlog, strict },
  connectOptions: { name, strict },
  listen: () => Promise.reject(new Error("never")),
  connect: () => Promise.reject(new Error("never")),
};

Deno.test("isDatagram() and isStream() tell the kinds apart when the transport is any", () => {
  const endpoints = ["tcp://", "udp://", "unix:a", "unixgram:a"].map((text) => parseEndpoint(text));
  assertEquals(endpoints.map(isDatagram), [false, true, false, true]);
  assertEquals(endpoints.map(isStream), [true, false, true, false]);
});

Deno.test("largestMessage() is what the row says, and without a bound where it is of streams", () => {
  const endpoints = ["tcp://", "udp://", "unix:a", "unixgram:a"].map((text) => parseEndpoint(text));
  assertEquals(endpoints.map(largestMessage), [Infinity, 65_507, Infinity, LARGEST_MESSAGE]);
});

Deno.test("transportOf() says so when there is no such transport", () => {
  const error = assertThrows(() => transportOf({ transport: "pigeon", host: "a", port: 1 }), MeariError);
  assertEquals(error.message, 'there is no transport "pigeon"');
});

Deno.test("parseEndpoint() reads the options of the transport's side when the row declares some", () => {
  using _row = ownTransport("own", row);
  const listening = parseEndpoint("own://:7?backlog=9&strict", { side: "listen" });
  assertEquals(listening.options, { backlog: 9, strict: true });
  assertEquals(formatEndpoint(listening), "own://127.0.0.1:7?backlog=9&strict");
  assertEquals(parseEndpoint("own://:7?name=a%26b").options, { name: "a&b" });
  const refusals: [string, "listen" | "connect", string][] = [
    ["own://:7?name=a", "listen", 'it has no option "name"; there is backlog, strict'],
    ["own://:7?backlog=9", "connect", 'it has no option "backlog"; there is name, strict'],
    ["own://:7?backlog=x", "listen", '"x" is not'],
    ["own://:7?strict=yes", "listen", "strict takes no value; leave it out to switch it off"],
    ["tcp://:7?strict", "listen", 'it has no option "strict"; it takes none'],
  ];
  for (const [text, side, why] of refusals) assertThrows(() => parseEndpoint(text, { side }), UsageError, why);
});

Deno.test("parseEndpoint() reads the caller's options besides the transport's when both are there", () => {
  using _row = ownTransport("own", row);
  const options = { "no-quit": strict };
  assertEquals(parseEndpoint("own://:7?no-quit&strict", { side: "listen", options }).options, {
    "no-quit": true,
    strict: true,
  });
});

Deno.test("listOptions() names each option once with its transports when rows share it", () => {
  const before = [...listOptions("listen"), ...listOptions("connect")];
  using _first = ownTransport("own", row);
  using _second = ownTransport("other", { ...row, listenOptions: { strict }, connectOptions: { name: { ...name } } });
  const listed = (side: "listen" | "connect") => listOptions(side).filter((each) => !before.includes(each));
  assertEquals(listed("listen"), [
    { name: "backlog", option: backlog, transports: ["own"] },
    { name: "strict", option: strict, transports: ["own", "other"] },
  ]);
  assertEquals(listed("connect").map(({ name, transports }) => [name, ...transports]), [
    ["name", "own"],
    ["strict", "own"],
    ["name", "other"],
  ]);
});
