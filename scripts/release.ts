/**
 * `deno task release [TARGET…]`: builds what a release offers into dist/release/: an archive for each target and
 * SHA256SUMS, for `sha256sum -c`. Always on Deno's official denort.
 *
 * @module
 */

import { MeariError } from "../lib/errors.ts";
import { runProgram } from "../lib/cli/program.ts";
import { VERSION } from "../lib/version.ts";
import { downloadDenort, officialEnv, sha256Of } from "./denort.ts";
import { compileExecutables } from "./executables.ts";
import { run, stopSignal } from "./run.ts";

/** What a release is built for. */
const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** What lies beside the executables in an archive: the README links to the rest. */
const DOCUMENTS: readonly string[] = ["LICENSE", "README.md", "README.ko.md", "CONTRIBUTING.md", "docs"];

await runProgram("release", async () => {
  Deno.chdir(new URL("..", import.meta.url));
  const targets = Deno.args.length === 0 ? TARGETS : Deno.args;
  for (const target of targets) {
    if (!TARGETS.includes(target)) throw new MeariError(`unknown target ${target}: one of ${TARGETS.join(", ")}`);
  }

  const signal = stopSignal();
  // All of them first: a release is whole or not at all.
  for (const target of targets) await downloadDenort(target, signal);

  await Deno.mkdir("dist", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "dist", prefix: ".release-" });
  try {
    await Deno.mkdir(`${dir}/release`);
    let sums = "";
    for (const target of targets) {
      const archive = await buildArchive(dir, target, signal);
      sums += `${await sha256Of(`${dir}/release/${archive}`)}  ${archive}\n`;
    }
    await Deno.writeTextFile(`${dir}/release/SHA256SUMS`, sums);
    await Deno.remove("dist/release", { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await Deno.rename(`${dir}/release`, "dist/release");
    console.log(sums.trimEnd());
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return 0;
});

/** Builds one target's archive in `dir`/release and returns its file name. */
async function buildArchive(dir: string, target: string, signal: AbortSignal): Promise<string> {
  const name = `meari-${VERSION}-${target}`;
  await Deno.mkdir(`${dir}/${name}`);
  await compileExecutables(`${dir}/${name}`, target, signal, officialEnv());
  await run("cp", ["-R", ...DOCUMENTS, `${dir}/${name}`], { signal });
  if (target.includes("windows")) {
    await run("sh", ["-c", 'cd "$1" && zip -qrX "release/$2.zip" "$2"', "sh", dir, name], { signal });
    return `${name}.zip`;
  }
  // Owned by root in the archive, whoever built it.
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", ["-czf", `${dir}/release/${name}.tar.gz`, "-C", dir, ...owner, name], { signal });
  return `${name}.tar.gz`;
}
