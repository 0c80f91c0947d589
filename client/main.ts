/**
 * meari, the client: arguments, the choice of the mode, and the exit code.
 *
 * @module
 */

import { ExitCode } from "../lib/errors.ts";
import { detectLanguage, messages } from "../lib/cli/messages.ts";
import { writeOutput, writeOutputSync } from "../lib/cli/output.ts";
import { answerCommon, runProgram } from "../lib/cli/program.ts";
import { connectStream } from "../lib/transport/mod.ts";
import { adviceFor } from "./advice.ts";
import { connectPeer } from "./talk/connect_peer.ts";
import { readLines } from "./talk/lines.ts";
import { clientCommand, type ClientCommandLine, parseClientArgs } from "./options.ts";
import { runRaw } from "./talk/raw.ts";
import { rawProgress } from "./talk/raw_progress.ts";
import { runScript } from "./talk/script.ts";

/** The modes that are called by name. Each is loaded only where it is used. */
const MODES: Record<string, () => Promise<(args: readonly string[]) => Promise<number>>> = {
  ping: async () => (await import("./ping/command.ts")).runPingCommand,
  bench: async () => (await import("./bench/command.ts")).runBench,
  report: async () => (await import("./report/command.ts")).runReport,
};

async function main(args: readonly string[]): Promise<number> {
  const [word = "", ...rest] = args;
  if (Object.hasOwn(MODES, word)) return await (await MODES[word]!())(rest);
  const options = parseClientArgs(args);
  if (answerCommon(clientCommand, options)) return ExitCode.ok;
  if (options.raw) return await raw(options);
  if (options.message.length > 0) {
    const encoder = new TextEncoder();
    return await script(options, "message", options.message.map((text) => encoder.encode(text)));
  }
  if (!Deno.stdin.isTerminal()) return await script(options, "line", readLines(Deno.stdin));

  // Line editing is loaded only where somebody types.
  const { runChat } = await import("./talk/chat.ts");
  return await runChat(options.endpoint, {
    timeout: options.timeout,
    retries: options.retries,
    messages: messages[options.lang ?? detectLanguage((name) => Deno.env.get(name))],
    eol: options.eol,
    quit: !options["no-quit"],
  });
}

async function script(
  options: ClientCommandLine,
  unit: string,
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  await using peer = await connectPeer(options.endpoint, options);
  await runScript(peer, lines, { unit, eol: options.eol, quit: !options["no-quit"], write: writeOutputSync });
  return ExitCode.ok;
}

async function raw(options: ClientCommandLine): Promise<number> {
  const conn = await connectStream(options.endpoint, options);
  // Only where it disturbs neither what is piped nor what is typed.
  const shown = Deno.stderr.isTerminal() && !Deno.stdout.isTerminal() && !Deno.stdin.isTerminal();
  const encoder = new TextEncoder();
  const progress = shown ? rawProgress((text) => Deno.stderr.writeSync(encoder.encode(text))) : undefined;
  try {
    await runRaw(conn, Deno.stdin, { ...options, write: writeOutput, ...(progress && { onProgress: progress.show }) });
  } finally {
    progress?.end();
    conn.close();
  }
  return ExitCode.ok;
}

if (import.meta.main) await runProgram(clientCommand.name, () => main(Deno.args), adviceFor);
