/**
 * What the main files of both programs share: an error ends in one line and an exit code.
 *
 * @module
 */

import { bold, red, setColorEnabled } from "@std/fmt/colors";
import type { Command } from "./command_line.ts";
import { escapeControls } from "../escape.ts";
import { describeCause, errorCode, ExitCode, MeariError, UsageError } from "../errors.ts";
import { formatHelp } from "./help.ts";
import { ignoresHangup } from "../native/ignored_signals.ts";
import { OutputClosed, printLine } from "./output.ts";
import { versionLine } from "../version.ts";

/**
 * Runs a program to its end and exits with its code.
 *
 * @param name The program's name, for its error lines.
 * @param main The program. What it throws becomes one line on stderr; it returns the exit code.
 * @param adviceFor Says what the user can do about an error, for the end of its line.
 */
export async function runProgram(
  name: string,
  main: () => Promise<number>,
  adviceFor: (error: unknown) => string | undefined = () => undefined,
): Promise<never> {
  setColorEnabled(!Deno.noColor && Deno.stderr.isTerminal());
  let code: number;
  try {
    code = await main();
  } catch (error) {
    code = error instanceof MeariError ? error.exitCode : ExitCode.failed;
    if (!(error instanceof OutputClosed)) printError(name, error, adviceFor(error));
  }
  // Exits even where a socket or a terminal still holds the event loop.
  Deno.exit(code);
}

/**
 * Makes the line that tells an error. Whatever the error repeats, an argument or a name from the network, is escaped.
 *
 * @param name The program's name.
 * @param error The error, or its text.
 * @param advice What the user can do about it.
 * @returns The line, without its line end.
 */
export function errorLine(name: string, error: unknown, advice?: string): string {
  const text = error instanceof MeariError ? error.message : describeCause(error);
  const help = error instanceof UsageError && !text.includes("--help") ? ` (${name} --help shows how)` : "";
  return `${red(bold(`${name}:`))} ${escapeControls(`${text}${advice ? `; ${advice}` : ""}${help}`)}`;
}

/**
 * Writes an error as one line to stderr, and waits until it is written: for a program that is about to end. One that goes
 * on writes its {@linkcode errorLine} with a `LineWriter`.
 *
 * @param name The program's name.
 * @param error The error, or its text.
 * @param advice What the user can do about it.
 */
export function printError(name: string, error: unknown, advice?: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${errorLine(name, error, advice)}\n`));
  } catch {
    // There is nobody left to tell.
  }
}

/**
 * Answers `--help` and `--version`.
 *
 * @param command The program.
 * @param values The options as parsed.
 * @returns Whether one of them was asked for, and so was answered.
 */
export function answerCommon(command: Command, values: { help: boolean; version: boolean }): boolean {
  if (!values.help && !values.version) return false;
  printLine(values.help ? formatHelp(command) : versionLine(command.name));
  return true;
}

/** The signals that ask a program to stop. */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** Those, Ctrl+\\ and the end of the terminal: how a program may be ended that has something to put in order before. */
export const END_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? STOP_SIGNALS
  : [...STOP_SIGNALS, "SIGQUIT", "SIGHUP"];

/** A signal this soon after the first is the same request: a terminal and `deno task` both deliver one Ctrl+C. */
const SAME_REQUEST = 200;

/**
 * Calls back when the user asks the program to stop. Where nohup(1) has started it, the end of the terminal is no such
 * request.
 *
 * @param onStop Called with 1 for the first request, 2 for the second, and so on.
 * @param signals How the user may ask. Default: {@linkcode STOP_SIGNALS}.
 * @returns Stops listening for signals.
 */
export function onStopSignal(
  onStop: (count: number) => void,
  signals: readonly Deno.Signal[] = STOP_SIGNALS,
): Disposable {
  let count = 0;
  let last = -Infinity;
  const listener = () => {
    const now = performance.now();
    if (now - last < SAME_REQUEST) return;
    last = now;
    onStop(++count);
  };
  checkSpareDescriptors();
  const outlivesTerminal = signals.includes("SIGHUP") && ignoresHangup();
  // Deno ends a program that listens for any signal at this one, too, also where it was ignored.
  const listeners = signals.map((signal) =>
    [signal, signal === "SIGHUP" && outlivesTerminal ? () => {} : listener] as const
  );
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** Deno takes two file descriptors for its first signal listener, and panics where there are none. */
function checkSpareDescriptors(): void {
  if (Deno.build.os === "windows") return;
  const files: Deno.FsFile[] = [];
  try {
    for (let i = 0; i < 2; i++) files.push(Deno.openSync("/dev/null"));
  } catch (error) {
    if (["EMFILE", "ENFILE"].includes(errorCode(error) ?? "")) {
      throw new MeariError(`cannot wait for signals: ${describeCause(error)}; "ulimit -n" shows how many there may be`);
    }
  } finally {
    for (const file of files) file.close();
  }
}
