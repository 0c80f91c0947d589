/**
 * `deno task compile`: compiles the executables for this machine into dist/.
 *
 * @module
 */

import { runProgram } from "../lib/cli/program.ts";
import { localEnv } from "./denort.ts";
import { compileExecutables } from "./executables.ts";
import { stopSignal } from "./run.ts";

await runProgram("compile", async () => {
  Deno.chdir(new URL("..", import.meta.url));
  const signal = stopSignal();
  const env = await localEnv(Deno.build.target, signal);

  await Deno.mkdir("dist", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "dist", prefix: ".compile-" });
  try {
    const names = await compileExecutables(dir, Deno.build.target, signal, env);
    for (const name of names) {
      await Deno.rename(`${dir}/${name}`, `dist/${name}`);
      console.log(`dist/${name}`);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return 0;
});
