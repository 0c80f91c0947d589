import { assert, assertEquals, assertMatch } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { program, ROOT } from "../helpers/meari.ts";
import { DENO, needs } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";

const windows = Deno.build.os === "windows";

/** Runs a program where no more than so many files may be open. */
function startWithin(limit: number, command: readonly string[]): Running {
  const args = [needs("sh"), "-c", `ulimit -n ${limit} && exec "$@"`, "sh", ...command];
  return new Running(args, { cwd: ROOT, env: { NO_COLOR: "1", LC_ALL: "C" } });
}

const LISTEN_FOR_SIGNALS = `
import { onStopSignal } from "./lib/cli/program.ts";
const files = [];
try {
  while (true) files.push(Deno.openSync("/dev/null"));
} catch {
  // As many as there may be.
}
for (let left = Number(Deno.args[0]); left > 0; left--) files.pop().close();
try {
  onStopSignal(() => {})[Symbol.dispose]();
  console.log("well");
} catch (error) {
  console.log(error.name, error.message);
}
`;

bounded("onStopSignal() throws in place of Deno's panic when there is no descriptor left", async () => {
  const said: string[] = [];
  for (const left of [0, 1, 2]) {
    await using script = startWithin(64, [DENO, "run", "--allow-all", "--ext=ts", "-", `${left}`]);
    await script.type(LISTEN_FOR_SIGNALS);
    await script.endInput();
    assertEquals([await script.exit(), script.stderr.text], [0, ""]);
    said.push(script.stdout.text);
  }
  const refusal = 'MeariError cannot wait for signals: too many open files; "ulimit -n" shows how many there may be\n';
  assertEquals(said, [refusal, refusal, "well\n"]);
}, { ignore: windows });

for (
  const [what, limit, args] of [
    ["many workers", 44, ["-p", "0", "--workers", "8"]],
    ["a worker and many sockets", 40, Array<string>(20).fill("udp://127.0.0.1:0")],
  ] as const
) {
  bounded(
    `meari-server serves without native workers, and says so, when too few files may be open for ${what}`,
    async () => {
      await using server = startWithin(limit, [...program("meari-server"), ...args]);
      await server.stdout.until("listening on udp");
      server.kill("SIGTERM");
      assertEquals(await server.exit(), 0);
      assertEquals(
        server.stderr.text,
        "meari-server: serving with Deno's own sockets, not with native ones: too many open files\n",
      );
    },
    { ignore: Deno.build.os !== "linux" || !Deno.env.get("MEARI_DIST") },
  );
}

// From source it depends on how many files Deno itself has open just then.
bounded("meari-server says in one line that too many files are open when it can open few", async () => {
  let lines = 0;
  for (let limit = 8;; limit++) {
    await using server = startWithin(limit, [...program("meari-server"), "-p", "0"]);
    // That it has ended comes here as an error.
    if (await server.stdout.until("listening on udp").catch(() => undefined)) break;
    const code = await server.exit();
    const { text } = server.stderr;
    assertMatch(text, /[Tt]oo many open files/);
    assertEquals(text.includes("ext/signals"), false, text);
    // Below some number Deno itself cannot start.
    if (lines === 0 && !text.startsWith("meari-server: ")) continue;
    assertMatch(text, /^meari-server: [^\n]*\n$/);
    assertEquals(code, 1);
    lines++;
  }
  assert(lines > 0);
}, { ignore: windows || !Deno.env.get("MEARI_DIST"), seconds: 120 });
