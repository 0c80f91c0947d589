/**
 * The executables: what each is made of, and how it is compiled.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { MeariError } from "../lib/errors.ts";
import { run } from "./run.ts";

/** What one executable is compiled from. */
interface Executable {
  /** The command of the task in deno.json that runs it from source; what it may do there it may do compiled. */
  command: string;
  /** Modules and files that no static import reaches, such as a worker's main file. */
  include: string[];
}

/** Every executable by its name. */
const EXECUTABLES: Record<string, Executable> = {
  "meari-server": { command: config.tasks.serve.command, include: ["server/native/worker.ts"] },
  "meari": {
    command: config.tasks.client.command,
    include: ["client/bench/load/worker.ts", "client/ping/native/worker.ts"],
  },
};

/**
 * Reads the command of a task that runs a program.
 *
 * @param command `deno run`, its flags, and the main file.
 * @returns The flags, which `deno compile` takes as they are, and the main file.
 * @throws {MeariError} If it is of another form.
 */
export function parseRunCommand(command: string): { flags: string[]; main: string } {
  const [deno, run, ...words] = command.split(" ");
  const main = words.pop();
  if (deno !== "deno" || run !== "run" || !main?.endsWith(".ts") || !words.every((word) => /^--[a-z]/.test(word))) {
    throw new MeariError(`deno.json: "${command}" is not "deno run --FLAG… FILE.ts"`);
  }
  return { flags: words, main };
}

/**
 * Compiles every executable into a directory. Needs the root of the project as the current directory.
 *
 * @param dir The directory, which exists.
 * @param target The target triple.
 * @param signal Ends the compiler.
 * @param env The environment of the compiler.
 * @returns The file names of the executables.
 * @throws {MeariError} If one does not compile; the compiler has said why.
 */
export async function compileExecutables(
  dir: string,
  target: string,
  signal: AbortSignal,
  env: Record<string, string>,
): Promise<string[]> {
  const names = [];
  for (const [program, { command, include }] of Object.entries(EXECUTABLES)) {
    const { flags, main } = parseRunCommand(command);
    const name = target.includes("windows") ? `${program}.exe` : program;
    // V8's code cache would be a file of a guessable name in the directory for temporary files, which another user may
    // write: code of theirs in our process, to save 3 to 8 ms of a start of 40 to 65.
    const args = ["compile", "--quiet", "--frozen", "--no-code-cache", ...flags];
    args.push(...include.map((path) => `--include=${path}`), `--target=${target}`, `--output=${dir}/${name}`, main);
    await run(Deno.execPath(), args, { signal, env, show: true });
    names.push(name);
  }
  return names;
}
