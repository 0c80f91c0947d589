import { within } from "./bounded.ts";

/**
 * Finds a program that a test needs.
 *
 * @param program Its name.
 * @returns Its path.
 * @throws If it is not installed: a test that did nothing would look as if all were well.
 */
export function needs(program: string): string {
  const windows = Deno.build.os === "windows";
  for (const folder of (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":")) {
    const path = `${folder}/${program}${windows ? ".exe" : ""}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`this test needs the program "${program}"; install it and run the test again`);
}

/** The Deno that runs the tests. Where it is emulated, nothing can start its own file, and `dist/arm64/deno` names itself. */
export const DENO = Deno.env.get("MEARI_DENO") ?? Deno.execPath();

/** The name of Python's interpreter, 3.8 or newer. */
export const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** What a program did. */
export interface Outcome {
  code: number;
  stdout: Uint8Array;
  /** What it wrote to stdout, as text. */
  text: string;
  stderr: string;
}

/**
 * Runs a program to its end, giving it 20 seconds.
 *
 * @param program Its name.
 * @param args Its arguments.
 * @param stdin What it reads.
 * @returns What it did.
 */
export async function run(program: string, args: string[], stdin: string | Uint8Array = ""): Promise<Outcome> {
  const child = new Deno.Command(needs(program), { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const input = new Blob([stdin as BlobPart]).stream().pipeTo(child.stdin).catch(() => {
    // It ended without reading all; its outcome tells what that means.
  });
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within(20_000, output);
    return { code, stdout, text: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw new Error(`${program} ${args.join(" ")}: ${(error as Error).message}`);
  } finally {
    await input;
  }
}

/** Runs a few lines of Python, which find their arguments in `sys.argv`. */
export async function python(code: string, ...args: (string | number)[]): Promise<Outcome> {
  return await run(PYTHON, ["-c", `import socket, struct, sys, time\n${code}`, ...args.map(String)]);
}
