/**
 * `deno task compile`: compiles the executables for this machine into dist/.
 *
 * @module
 */

import { runProgram } from "../lib/cli/program.ts";
import { findLocalDenort } from "./denort.ts";
import { compileExecutables } from "./executables.ts";
import { stopSignal } from "./run.ts";

await runProgram("compile", async () => {
  Deno.chdir(new URL("..", import.meta.url));
  const signal = stopSignal();
  const denort = await findLocalDenort(signal);
  const env = { ...Deno.env.toObject(), ...(denort && { DENORT_BIN: denort }) };

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
