import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseArgs as nodeParseArgs } from "node:util";
import {
  type Command,
  flag,
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
  usage: [""],
  options: {
    loud: flag({ group: "Voice", short: "l", help: "be loud" }),
    "no-quit": flag({ group: "Voice", short: "n", help: "never end" }),
    port: setting({ group: "Where", short: "p", value: "PORT", help: "the port", parse: parsePort }, "7"),
    name: optional({ group: "Where", value: "NAME", help: "a name", parse: String }),
    message: repeated({ group: "Voice", short: "m", value: "TEXT", help: "what to say", parse: String }),
  },
  examples: [],
} satisfies Command;

const parse = (...args: string[]) => parseCommandLine(demo, args);
const unset = {
  loud: false,
  "no-quit": false,
  port: 7,
  name: undefined,
  message: [] as string[],
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

Deno.test("parseCommandLine() takes no operand for the value of a switch when it reads true or false", () => {
  for (const word of ["true", "false"]) {
    for (const option of ["-l", "--loud", "--no-quit"]) assertEquals(parse(option, word).operands, [word]);
    assertEquals(parse("--loud", word).values.loud, true);
  }
});

Deno.test("parseCommandLine() keeps values and operands as they were typed when they look like numbers", () => {
  const words = ["7", "-7", "007", "1e3", "0x10", " 7", "", "Infinity"];
  for (const word of words) {
    for (const form of [["-m", word], ["--message", word], [`--message=${word}`]]) {
      assertEquals(parse(...form), { values: { ...unset, message: [word] }, operands: [] } as never);
    }
    if (!word.startsWith("-")) assertEquals(parse("-l", word).operands, [word]);
    assertEquals(parse("--", word).operands, [word]);
  }
  for (const word of ["64KiB", "1s", "=9", "a\nb=c", "lp9"]) assertEquals(parse(`-m${word}`).values.message, [word]);
});

/** What the words mean to node:util's parseArgs, which tells its tokens apart without a guess. */
function oracle(words: string[]): unknown {
  const { tokens } = nodeParseArgs({
    args: words,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      loud: { type: "boolean", short: "l" },
      "no-quit": { type: "boolean", short: "n" },
      name: { type: "string" },
      message: { type: "string", short: "m" },
    },
  });
  const values: Record<string, unknown> = { ...unset, message: [] };
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const takesValue = { loud: false, "no-quit": false, name: true, message: true }[token.name];
    if (takesValue === undefined || takesValue !== (token.value !== undefined)) return "an error";
    if (token.name === "message") values.message = [...values.message as string[], token.value];
    else values[token.name] = token.value ?? true;
  }
  return { values, operands };
}

Deno.test("parseCommandLine() reads any words as node:util does when they are options, values and operands", () => {
  const word = fc.oneof(
    fc.constantFrom("-l", "-m", "-n", "--loud", "--no-quit", "--name", "--message", "--name=", "--message=-l", "--"),
    fc.constantFrom("-ln", "-lm", "-lmx", "-m9", "-m=9", "-nl9", "-mtrue", "-", "", "true", "false", "7", "--loud="),
    fc.constantFrom("--quit", "--no-loud", "--loud.x", "--__proto__", "--constructor=1", "-x", "--l", "--_", "--=x"),
    fc.string().filter((text) => !/^-[^-]/.test(text)),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      let read: unknown = "an error";
      try {
        read = parse(...words);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
      assertEquals(read, oracle(words));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseCommandLine() throws nothing but a UsageError when the words are any", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("-l-", "-l-m", "-\ud83d", "-m\0", "---", "-=", "-.7"),
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
    [["-l-"], "unknown option --; demo --help lists them all"],
    [["-😀"], "unknown option -😀; demo --help lists them all"],
    [["--constructor"], "unknown option --constructor; "],
    [["--__proto__=1"], "unknown option --__proto__; "],
    [["--a.b=c"], "unknown option --a.b; "],
    [["--no-loud"], "unknown option --no-loud; "],
    [["--port"], "--port needs a value: --port PORT"],
    [["-p"], "-p needs a value: -p PORT"],
    [["-lp"], "-p needs a value: -p PORT"],
    [["--loud=yes"], "--loud takes no value"],
    [["--loud="], "--loud takes no value"],
    [["--no-quit=true"], "--no-quit takes no value"],
    [["-p", "x", "-p", "9"], '-p: "x" is not a port; '],
    [["-p=9"], '-p: "=9" is not a port; '],
    [["--port", "http"], '--port: "http" is not a port; a port is a number from 0 to 65535'],
    [["--port="], '--port: "" is not a port; a port is a number from 0 to 65535'],
  ];
  for (const [args, message] of lines) {
    assertStringIncludes(assertThrows(() => parse(...args), UsageError).message, message);
  }
});

Deno.test("parseCommandLine() suggests an option only when it is nearly what was typed", () => {
  const hint = (word: string) => /did you mean (\S+)\?/.exec(assertThrows(() => parse(word), UsageError).message)?.[1];
  const near = { "--prot": "port", "--PORT": undefined, "--p": "port", "--nam": "name", "--mesage": "message" };
  const others = { "--ports=9": "port", "--noquit": "no-quit", "--lout": "loud", "--bogus": undefined };
  const far = { "--eol": undefined, "--xyz": undefined, "--to": undefined, "--=": undefined };
  for (const [word, name] of Object.entries<string | undefined>({ ...near, ...others, ...far })) {
    assertEquals(hint(word), name && `--${name}`, word);
  }
});

Deno.test("oneOf() returns the word when it is one of them and names them all when it is not", () => {
  const parseColor = oneOf("red", "green");
  assertEquals(parseColor("green"), "green");
  assertEquals(assertThrows(() => parseColor("blue"), UsageError).message, '"blue" is none of red, green');
});
