/**
 * How the scripts run other programs and stop when they are asked to.
 *
 * @module
 */

import { MeariError } from "../lib/errors.ts";
import { STOP_SIGNALS } from "../lib/cli/program.ts";

/** Settings of {@link run}. */
export interface RunOptions {
  /** Ends the program when it aborts. */
  signal: AbortSignal;
  /** The program's whole environment; this process's own if absent. */
  env?: Record<string, string>;
  /** Whether the user sees what the program prints. If not, the last line of its stderr becomes the error. */
  show?: boolean;
}

/**
 * Runs a program to its end.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options See {@link RunOptions}.
 * @throws {MeariError} If it is not installed or fails.
 */
export async function run(command: string, args: string[], options: RunOptions): Promise<void> {
  const { signal, env = Deno.env.toObject(), show = false } = options;
  const stdio = show ? "inherit" : "piped";
  // One that has aborted already would end nothing.
  signal.throwIfAborted();
  let output;
  try {
    output = await new Deno.Command(command, {
      args,
      signal,
      // No stack trace of Deno's own, and nothing but text where it is read here.
      env: { ...env, RUST_BACKTRACE: "0", ...(show ? {} : { NO_COLOR: "1" }) },
      clearEnv: true,
      stdin: "null",
      stdout: stdio,
      stderr: stdio,
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new MeariError(`${command} is not installed`);
    throw error;
  }
  signal.throwIfAborted();
  if (output.success) return;
  const said = show ? "" : new TextDecoder().decode(output.stderr).trimEnd().split("\n").at(-1)!.trim();
  throw new MeariError(said || `${command.split(/[\\/]/).at(-1)} ${args[0]} failed with exit code ${output.code}`);
}

/**
 * Makes the usual ways to stop a program abort instead, so that what it leaves behind is removed first.
 *
 * @param signals How it may be stopped.
 * @returns What aborts.
 */
export function stopSignal(signals: readonly Deno.Signal[] = STOP_SIGNALS): AbortSignal {
  const controller = new AbortController();
  for (const name of signals) {
    Deno.addSignalListener(name, () => controller.abort(new MeariError(`stopped by ${name}`)));
  }
  return controller.signal;
}
