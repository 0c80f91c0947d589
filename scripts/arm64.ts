/**
 * `deno task arm64`: makes dist/arm64/, where `meari`, `meari-server` and `deno` are the arm64 programs, run by qemu-user.
 * Tests then run on an arm64 that is emulated: with MEARI_DIST=dist/arm64, or by dist/arm64/deno.
 *
 * @module
 */

import { MeariError } from "../lib/errors.ts";
import { runProgram } from "../lib/cli/program.ts";
import { localEnv, unpackFromNpm } from "./denort.ts";
import { compileExecutables } from "./executables.ts";
import { run, stopSignal } from "./run.ts";

const TARGET = "aarch64-unknown-linux-gnu";

/** The newest Deno, on which the code must pass too; the executables have the one that compiles them. */
const DENO = "@deno/linux-arm64-glibc@2.9.6";

/** Where Debian's packages for cross-compiling have glibc and libgcc; they need no foreign architecture in apt. */
const LIBRARIES = "/usr/aarch64-linux-gnu/lib";

/**
 * Runs bin/NAME. This CPU is a server's without pointer authentication: computing that takes qemu longer than all else.
 * The children of a test are to run in qemu as well, and the kernel starts no arm64 program.
 */
const launcher = (name: string) =>
  `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export MEARI_DENO="$here/deno"
exec qemu-aarch64 -cpu neoverse-n1 -L "$here/root" "$here/bin/${name}" "$@"
`;

await runProgram("arm64", async () => {
  Deno.chdir(new URL("..", import.meta.url));
  const signal = stopSignal();
  try {
    await run("qemu-aarch64", ["--version"], { signal });
    await Deno.stat(`${LIBRARIES}/libgcc_s.so.1`);
  } catch (error) {
    signal.throwIfAborted();
    const advice = "install what Debian's packages qemu-user and libgcc-s1-arm64-cross hold";
    throw new MeariError(`${(error as Error).message}; ${advice}`, { cause: error });
  }

  await Deno.mkdir("dist", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "dist", prefix: ".arm64-" });
  try {
    const [made, npm] = [`${dir}/arm64`, `${dir}/npm`];
    for (const folder of [npm, `${made}/bin`, `${made}/root/lib`]) await Deno.mkdir(folder, { recursive: true });
    const programs = await compileExecutables(`${made}/bin`, TARGET, signal, await localEnv(TARGET, signal));
    await Deno.rename(await unpackFromNpm(DENO, "deno", npm, signal), `${made}/bin/deno`);
    // As on an arm64 Debian, for those who open libc by its path.
    await Deno.symlink(LIBRARIES, `${made}/root/lib/aarch64-linux-gnu`);
    await Deno.symlink(`${LIBRARIES}/ld-linux-aarch64.so.1`, `${made}/root/lib/ld-linux-aarch64.so.1`);
    for (const name of [...programs, "deno"]) {
      await Deno.writeTextFile(`${made}/${name}`, launcher(name), { mode: 0o755 });
    }
    await Deno.remove("dist/arm64", { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await Deno.rename(made, "dist/arm64");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  console.log("dist/arm64");
  return 0;
});
