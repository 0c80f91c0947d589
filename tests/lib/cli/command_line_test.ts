import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Command,
  flag,
  formatHelp,
  oneOf,
  optional,
  parseCommandLine,
  repeated,
  setting,
} from "../../../lib/cli/command_line.ts";
import { parsePort } from "../../../lib/endpoint.ts";
import { UsageError } from "../../../lib/errors.ts";

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
      help: Array(40).fill("words").join(" "),
      parse: String,
    }),
  },
  examples: [["demo a", "does a"], ["demo b", "does b"]],
  notes: [["Remarks", ["first", "second"]]],
} satisfies Command;

const parse = (...args: string[]) => parseCommandLine(demo, args);
const unset = {
  loud: false,
  "no-quit": false,
  port: 7,
  name: undefined,
  message: [] as string[],
  "a-very-long-option": undefined,
};

Deno.test("parseCommandLine() gives each option its default when the command line is empty", () => {
  assertEquals<unknown>(parse(), { values: unset, operands: [] });
});

Deno.test("parseCommandLine() reads values in each of their forms when they are given", () => {
  for (const form of [["--port", "9"], ["--port=9"], ["-p", "9"], ["-p9"], ["-p", "8", "--port", "9"]]) {
    assertEquals<unknown>(parse(...form).values, { ...unset, port: 9 }, form.join(" "));
  }
  assertEquals<unknown>(parse("-ln").values, { ...unset, loud: true, "no-quit": true });
  assertEquals<unknown>(parse("-lp9").values, { ...unset, loud: true, port: 9 });
  assertEquals<unknown>(parse("--no-quit").values, { ...unset, "no-quit": true });
  assertEquals<unknown>(parse("--name=").values, { ...unset, name: "" });
});

Deno.test("parseCommandLine() takes the word after an option for its value when it starts with a dash", () => {
  assertEquals(parse("--name", "-l").values, { ...unset, name: "-l" } as never);
  assertEquals(parse("-m", "--").values.message, ["--"]);
});

Deno.test("parseCommandLine() keeps operands in order when options stand between them", () => {
  assertEquals(parse("a", "-l", "b", "-p", "9", "-").operands, ["a", "b", "-"]);
  assertEquals(parse("--", "-l", "--port").operands, ["-l", "--port"]);
  assertEquals(parse("--", "-l").values.loud, false);
});

Deno.test("parseCommandLine() collects every value when the option is repeatable, and starts anew each time", () => {
  assertEquals(parse("-m", "a", "--message=b", "-mc").values.message, ["a", "b", "c"]);
  assertEquals(parse("-m", "d").values.message, ["d"]);
});

Deno.test("parseCommandLine() returns what was meant when any values and operands are given", () => {
  const pairs = fc.array(fc.tuple(fc.constantFrom("message", "operand", "loud"), fc.string()));
  fc.assert(fc.property(pairs, (pairs) => {
    const args = pairs.flatMap(([kind, text]) =>
      kind === "message" ? [`--message=${text}`] : kind === "loud" ? ["-l"] : text.startsWith("-") ? [] : [text]
    );
    const { values, operands } = parse(...args);
    assertEquals(values.message, pairs.filter(([kind]) => kind === "message").map(([, text]) => text));
    assertEquals(
      operands,
      pairs.filter(([k, text]) => k === "operand" && !text.startsWith("-")).map(([, text]) => text),
    );
    assertEquals(values.loud, pairs.some(([kind]) => kind === "loud"));
  }));
});

Deno.test("parseCommandLine() throws nothing but a UsageError when the words are any", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("--", "-", "-p", "--port", "--loud=1", "--__proto__", "--toString"),
  );
  fc.assert(fc.property(fc.array(word), (words) => {
    try {
      parse(...words);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }));
});

Deno.test("parseCommandLine() says which option was wrong and why when it cannot go on", () => {
  const lines: [string[], string][] = [
    [["--prot", "9"], "unknown option --prot; did you mean --port? demo --help lists them all"],
    [["-x"], "unknown option -x; demo --help lists them all"],
    [["-lx"], "unknown option -x; demo --help lists them all"],
    [["--constructor"], "unknown option --constructor; "],
    [["--port"], "--port needs a value: --port PORT"],
    [["-p"], "-p needs a value: -p PORT"],
    [["--loud=yes"], "--loud takes no value"],
    [["--port", "http"], '--port: "http" is not a port; a port is a number from 0 to 65535'],
    [["--port="], '--port: "" is not a port; a port is a number from 0 to 65535'],
  ];
  for (const [args, message] of lines) {
    assertStringIncludes(assertThrows(() => parse(...args), UsageError).message, message);
  }
});

Deno.test("oneOf() returns the word when it is one of them and names them all when it is not", () => {
  const parseColor = oneOf("red", "green");
  assertEquals(parseColor("green"), "green");
  assertEquals(assertThrows(() => parseColor("blue"), UsageError).message, '"blue" is none of red, green');
});

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
  for (const line of lines) assertEquals(line.length <= 100, true, line);
  for (const line of lines) assertEquals(line, line.trimEnd());
  assertEquals(lines.join(" ").match(/\bwords\b/g)?.length, 40);
});
