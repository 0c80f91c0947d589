/**
 * What a program writes to stdout: results, for a pipe or a person.
 *
 * @module
 */

import { describeCause, MeariError } from "../errors.ts";
import { isStdoutDiscarded } from "../native/discarded_stdout.ts";

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

let discarded: boolean | undefined;

/**
 * Stdout for a `LineWriter`. Where it was closed when the program started, writing fails; `Deno.stdout` would take all and
 * say nothing.
 */
export const outputSink: { write(bytes: Uint8Array): Promise<number> } = {
  async write(bytes) {
    discarded ??= isStdoutDiscarded();
    if (discarded) throw new OutputClosed("stdout is closed or discarded");
    return await Deno.stdout.write(bytes);
  },
};

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
