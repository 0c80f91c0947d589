import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Command, flag, optional, repeated, setting } from "../../../lib/cli/command_line.ts";
import { endpointLines, formatHelp } from "../../../lib/cli/help.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { parsePort } from "../../../lib/endpoint.ts";
import { transports } from "../../../lib/transport/mod.ts";
import { ownTransport } from "../../helpers/own_transport.ts";

const demo = {
  name: "demo",
  summary: "A demo.",
  usage: ["[FILE…] [options]", "--port PORT"],
  options: {
    loud: flag({ group: "Voice", short: "l", help: "be loud" }),
    "no-quit": flag({ group: "Voice", short: "n", help: "never end" }),
    port: setting({ group: "Where", short: "p", value: "PORT", help: "the port", parse: parsePort }, "7"),
    name: optional({ group: "Where", value: "NAME", help: "a name", parse: String }),
    message: repeated({ group: "Voice", short: "m", value: "TEXT", help: "what to say", parse: String }),
    "a-very-long-option": optional({
      group: "Voice",
      value: "SOMETHING",
      help: Array(40).fill("words").join(" ") + " " + Array(40).fill("메아리").join(" "),
      parse: String,
    }),
  },
  examples: [["demo a", "does a"], ["demo b", "does b"]],
  notes: [["Remarks", ["first", "second"]]],
} satisfies Command;

Deno.test("formatHelp() shows each option once with its default under its heading when asked", () => {
  const help = formatHelp(demo);
  assertStringIncludes(help, "A demo.\n\nUsage:\n  demo [FILE…] [options]\n  demo --port PORT\n");
  const [, voice = "", where = ""] = /\nVoice:\n([^]*?)\n\nWhere:\n([^]*?)\n\n/.exec(help) ?? [];
  assertStringIncludes(voice, "  -l, --loud              be loud");
  assertStringIncludes(voice, "  -m, --message TEXT      what to say (may be repeated)");
  assertStringIncludes(where, "  -p, --port PORT         the port (default 7)\n      --name NAME         a name");
  for (const name of Object.keys(demo.options)) assertEquals(help.split(`--${name} `).length > 1, true, name);
  assertStringIncludes(help, "\nRemarks:\n  first\n  second\n");
  assertStringIncludes(help, "\nExamples:\n  demo a\n      does a\n  demo b\n      does b");
  for (const code of [0, 1, 2, 3]) assertMatch(help, new RegExp(`\n  ${code}  \\w+`));
});

Deno.test("formatHelp() wraps what is long and loses no word when an option says much", () => {
  const lines = formatHelp(demo).split("\n");
  for (const line of lines) assertEquals(textWidth(line) <= 100, true, line);
  for (const line of lines) assertEquals(line, line.trimEnd());
  assertEquals(lines.join(" ").match(/\bwords\b/g)?.length, 40);
  assertEquals(lines.join(" ").match(/메아리/g)?.length, 40);
});

Deno.test("formatHelp() names the page of the manual last when there is one", () => {
  const last = "\n\nManual: docs/demo.md in the archive and the repository";
  assertEquals(formatHelp({ ...demo, docs: "docs/demo.md" }), formatHelp(demo) + last);
});

Deno.test("endpointLines() lists the transports of the table, and what may stand behind an endpoint", () => {
  const options = {
    "no-quit": { help: "quit is plain data", parse: () => true },
    ttl: { value: "N", help: "hops", parse: Number },
  };
  using _row = ownTransport("own", {
    ...transports.get("unix")!,
    help: "pigeons",
    listenOptions: { backlog: { value: "N", help: "how many may wait", parse: Number } },
  });
  const lines = endpointLines("listen", "TCP", options);
  assertEquals([lines[0], ...lines.slice(-5)], [
    "tcp://HOST:PORT                        streams over TCP",
    "own:///PATH                            pigeons",
    "HOST:PORT, HOST, :PORT                 TCP",
    "ENDPOINT?no-quit                       quit is plain data",
    "ENDPOINT?ttl=N                         hops",
    "ENDPOINT?backlog=N                     how many may wait (own)",
  ]);
  assertEquals(endpointLines("connect", "UDP").at(-1), "HOST:PORT, HOST, :PORT                 UDP");
});
