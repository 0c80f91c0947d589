/**
 * The executables: what each is made of, and how it is compiled.
 *
 * @module
 */

import { run } from "./run.ts";

/** What one executable is compiled from. */
interface Executable {
  /** Its main file. */
  main: string;
  /** What it may do; whatever is not here fails at once, as nothing prompts. */
  permissions: string[];
  /** Modules and files that no static import reaches, such as a worker's main file. */
  include: string[];
}

/** Every executable by its name. */
const EXECUTABLES: Record<string, Executable> = {
  "meari-server": {
    main: "server/main.ts",
    permissions: ["--allow-net", "--allow-read", "--allow-write", "--allow-env=LC_ALL,LC_MESSAGES,LANG"],
    include: [],
  },
  "meari": {
    main: "client/main.ts",
    permissions: ["--allow-net", "--allow-read", "--allow-write", "--allow-env=LC_ALL,LC_MESSAGES,LANG"],
    include: ["client/bench/worker.ts"],
  },
};

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
  for (const [program, { main, permissions, include }] of Object.entries(EXECUTABLES)) {
    const name = target.includes("windows") ? `${program}.exe` : program;
    // V8's code cache would be a file of a guessable name in the directory for temporary files, which another user may
    // write: code of theirs in our process, to save 3 to 8 ms of a start of 40 to 65.
    const args = ["compile", "--quiet", "--frozen", "--no-prompt", "--no-code-cache", ...permissions];
    args.push(...include.map((path) => `--include=${path}`), `--target=${target}`, `--output=${dir}/${name}`, main);
    await run(Deno.execPath(), args, { signal, env, show: true });
    names.push(name);
  }
  return names;
}
