import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { benchCommand } from "../../client/bench/options.ts";
import { pingCommand } from "../../client/ping/options.ts";
import { reportCommand } from "../../client/report/command.ts";
import { talkCommand } from "../../client/talk/command.ts";
import config from "../../deno.json" with { type: "json" };
import type { Command, Option } from "../../lib/cli/command_line.ts";
import { escapeControls } from "../../lib/escape.ts";
import { transports } from "../../lib/transport/mod.ts";
import { serverCommand } from "../../server/options.ts";
import { bounded } from "../helpers/bounded.ts";
import { meari, type Program } from "../helpers/meari.ts";

const EXIT_CODES = ["0  all well", "1  it could not run or go on", "2  it was called wrongly", "3  it ran, but"];

for (const command of [talkCommand, serverCommand]) {
  const name = command.name as Program;

  bounded(`${name} --help lists every option, its default, and the exit codes`, async () => {
    const { code, text, stderr } = await meari(name, ["--help"]);
    assertEquals([code, stderr], [0, ""]);
    for (const [long, option] of Object.entries<Option<unknown>>(command.options)) {
      const left = `${option.short ? `-${option.short}, ` : ""}--${long}${option.value ? ` ${option.value}` : ""}`;
      const at = text.split("\n").findIndex((line) => line.trim() === left || line.trim().startsWith(`${left}  `));
      assert(at > 0, `${left} is not in the help`);
      if (option.shownDefault) assertStringIncludes(text, `default ${option.shownDefault}`);
    }
    for (const line of EXIT_CODES) assertStringIncludes(text, `\n  ${line}`);
    assertEquals((await meari(name, ["-h"])).text, text);
  });

  bounded(`${name} --version names its version, Deno's and the target`, async () => {
    const { code, text, stderr } = await meari(name, ["--version"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(text, `${name} ${config.version} (deno ${Deno.version.deno}, ${Deno.build.target})\n`);
  });
}

/** @std/cli/parse-args nests `a.b` and reads `--no-a=b` as `--a=b`. */
Deno.test("every command names its options so that parse-args takes them as they are", () => {
  for (const command of [talkCommand, pingCommand, benchCommand, reportCommand, serverCommand] as Command[]) {
    for (const [name, option] of Object.entries(command.options)) {
      assertMatch(name, option.value === undefined ? /^[a-z][a-z-]+$/ : /^(?!no-)[a-z][a-z-]+$/);
    }
    const shorts = Object.values(command.options).flatMap(({ short }) => short ?? []);
    assertEquals(new Set(shorts).size, shorts.length);
  }
});

const wrong: [name: Program, args: string[], stderr: string][] = [
  ["meari", ["--timeuot", "1s"], "unknown option --timeuot; did you mean --timeout? meari --help lists them all"],
  ["meari", ["-Z"], "unknown option -Z; meari --help lists them all"],
  ["meari", ["--timeout"], "--timeout needs a value: --timeout TIME (meari --help shows how)"],
  ["meari", ["--raw=1"], "--raw takes no value (meari --help shows how)"],
  ["meari", ["--timeout", "x"], '--timeout: "x" is not a time; write it like 250ms, 5s or 2m (meari --help shows how)'],
  [
    "meari",
    ["tcp://::1:7"],
    '"tcp://::1:7" is not an endpoint: write an IPv6 address in brackets, as in tcp://[::1]:65456 ' +
    "(meari --help shows how)",
  ],
  ["meari", ["-u", "tcp://a:1"], "--udp contradicts tcp://a:1 (meari --help shows how)"],
  [
    "meari",
    ["--x\x1b]0;PWN\x07\n\u202e=1"],
    "unknown option --x\\x1b]0;PWN\\x07\\n\\u202e; meari --help lists them all",
  ],
  [
    "meari-server",
    ["tcp://a\n> client\x9b2J\u{e0041}"],
    '"tcp://a\\n> client\\x9b2J\\u{e0041}" is not an endpoint: "a\\n> client\\x9b2J\\u{e0041}" is not a host name ' +
    "(meari-server --help shows how)",
  ],
  ["meari-server", ["--onec"], "unknown option --onec; did you mean --once? meari-server --help lists them all"],
  ["meari-server", ["-p"], "-p needs a value: -p PORT (meari-server --help shows how)"],
  [
    "meari-server",
    ["-p", "65536"],
    '-p: "65536" is not a port; a port is a number from 0 to 65535 (meari-server --help shows how)',
  ],
  [
    "meari-server",
    ["gopher://a"],
    `"gopher://a" is not an endpoint: there is no transport "gopher"; there are ${[...transports.keys()].join(", ")} ` +
    "(meari-server --help shows how)",
  ],
  [
    "meari-server",
    ["-q", "-v"],
    "--quiet goes neither with --verbose nor with --trace (meari-server --help shows how)",
  ],
];

for (const [name, args, stderr] of wrong) {
  const shown = escapeControls(args.join(" "));
  bounded(`${name} says in one line what is wrong, with exit code 2, when called with ${shown}`, async () => {
    const outcome = await meari(name, args, { stdin: "not read\n" });
    assertEquals([outcome.code, outcome.text, outcome.stderr], [2, "", `${name}: ${stderr}\n`]);
  });
}

for (const [mode, args] of [["ping", ["-c", "x"]], ["bench", ["-c", "x"]], ["report", []]] as const) {
  bounded(`meari ${mode} names its own help when it is called wrongly`, async () => {
    const { code, stderr } = await meari("meari", [mode, ...args]);
    assertEquals(code, 2);
    assertMatch(stderr, new RegExp(`^meari ${mode}: .+ \\(meari ${mode} --help shows how\\)\n$`));
  });
}
