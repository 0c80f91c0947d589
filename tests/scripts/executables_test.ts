import { assertEquals, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { MeariError } from "../../lib/errors.ts";
import { parseRunCommand } from "../../scripts/executables.ts";

Deno.test("parseRunCommand() finds the main file and grants no more than is listed when it reads the tasks", () => {
  for (const [task, main] of [["serve", "server/main.ts"], ["client", "client/main.ts"]] as const) {
    const read = parseRunCommand(config.tasks[task].command);
    assertEquals(read.main, main);
    assertEquals(read.flags.includes("--no-prompt"), true);
    assertEquals(read.flags.some((flag) => /^(-A|--allow-all|--allow-run|--allow-env)$/.test(flag)), false);
  }
});

Deno.test("parseRunCommand() splits a command when it is of the form that it knows", () => {
  assertEquals(parseRunCommand("deno run --no-prompt --allow-env=A,B a/b.ts"), {
    flags: ["--no-prompt", "--allow-env=A,B"],
    main: "a/b.ts",
  });
});

Deno.test("parseRunCommand() throws when a command is of another form, so that no flag is lost in silence", () => {
  const others = ["", "deno run", "deno test a.ts", "node run a.ts", "deno run -A a.ts", "deno run a.ts b.ts"];
  for (const command of [...others, "deno run a.ts --help", "cd a && deno run a.ts", "deno run --x  a.ts"]) {
    assertThrows(() => parseRunCommand(command), MeariError, "deno.json: ");
  }
});
