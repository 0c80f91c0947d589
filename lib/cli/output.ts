/**
 * What a program writes to stdout: results, for a pipe or a person.
 *
 * @module
 */

import { describeCause, MeariError } from "../errors.ts";

/** Nobody reads stdout any more, as behind `| head -1`. The program ends, and there is nothing to tell. */
export class OutputClosed extends MeariError {}

/**
 * Writes bytes to stdout, all of them, before it returns.
 *
 * @param bytes The bytes.
 * @throws {OutputClosed} If nobody reads stdout any more.
 * @throws {MeariError} If stdout cannot take them, as on a full disk.
 */
export function writeOutputSync(bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
  } catch (error) {
    throw outputError(error);
  }
}

/**
 * Writes bytes to stdout, all of them, while the program goes on.
 *
 * @param bytes The bytes; they must not change before the promise resolves.
 * @throws {OutputClosed} If nobody reads stdout any more.
 * @throws {MeariError} If stdout cannot take them, as on a full disk.
 */
export async function writeOutput(bytes: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
  } catch (error) {
    throw outputError(error);
  }
}

let closed: boolean | undefined;

/**
 * Stdout for a `LineWriter`. Where it was closed when the program started, writing fails; `Deno.stdout` would take all and
 * say nothing.
 */
export const outputSink: { write(bytes: Uint8Array): Promise<number> } = {
  async write(bytes) {
    closed ??= isClosed();
    if (closed) throw new OutputClosed("stdout is closed or discarded");
    return await Deno.stdout.write(bytes);
  },
};

/**
 * Tells whether stdout was closed when the program started. The runtime then opens /dev/null in its place, for reading and
 * writing, where a shell's `> /dev/null` is for writing alone; on Linux the mode of the link shows which it is. (A parent
 * may hand down such a /dev/null as well, as Python's DEVNULL is one, and nothing tells these two apart.)
 */
function isClosed(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const link = "/proc/self/fd/1";
    return Deno.readLinkSync(link) === "/dev/null" && (Deno.lstatSync(link).mode! & 0o400) !== 0;
  } catch {
    return false;
  }
}

/**
 * Writes a line to stdout.
 *
 * @param line The text without its line end.
 * @throws {OutputClosed} If nobody reads stdout any more.
 * @throws {MeariError} If stdout cannot take it, as on a full disk.
 */
export function printLine(line: string): void {
  writeOutputSync(new TextEncoder().encode(`${line}\n`));
}

function outputError(error: unknown): MeariError {
  return error instanceof Deno.errors.BrokenPipe
    ? new OutputClosed("nobody reads stdout any more", { cause: error })
    : new MeariError(`cannot write to stdout: ${describeCause(error)}`, { cause: error });
}
