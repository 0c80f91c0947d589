/**
 * meari-server: arguments, signals and the exit code.
 *
 * @module
 */

import { ExitCode, MeariError } from "../lib/errors.ts";
import { LineWriter } from "../lib/cli/line_writer.ts";
import { detectLanguage, messages } from "../lib/cli/messages.ts";
import { outputSink } from "../lib/cli/output.ts";
import { answerCommon, END_SIGNALS, errorLine, onStopSignal, runProgram } from "../lib/cli/program.ts";
import { isDatagram } from "../lib/transport/mod.ts";
import { adviceFor } from "./advice.ts";
import { parseServerArgs, serverCommand } from "./options.ts";
import type { EventType } from "./events.ts";
import { Server } from "./server.ts";
import { jsonLine, jsonLog } from "./views/json_log.ts";
import { ratesOf } from "./views/limits.ts";
import { textLog } from "./views/text_log.ts";

const NAME = serverCommand.name;

if (import.meta.main) await runProgram(NAME, () => main(Deno.args), adviceFor);

async function main(args: readonly string[]): Promise<number> {
  const options = parseServerArgs(args);
  if (answerCommon(serverCommand, options)) return ExitCode.ok;

  const words = messages[options.lang ?? detectLanguage((name) => Deno.env.get(name))];
  const json = options.log === "json";
  const errors = new LineWriter(Deno.stderr, { describeLost: words.linesLost, onFailure: () => {} });
  const writeError = (line: string) => errors.write(errorLine(NAME, line));
  const output = new LineWriter(outputSink, {
    describeLost: json ? (lines) => jsonLine("lost", { lines }) : words.linesLost,
    onFailure: (cause) => writeError(`cannot write the log: ${cause}; serving goes on without it`),
  });
  const write = (line: string) => output.write(line);
  const detail = options.trace ? "trace" : options.verbose ? "verbose" : "normal";
  const { endpoints, once, grace, quiet, engine, workers } = options;
  const view = json
    ? jsonLog({ everyMessage: detail !== "normal", quiet, write })
    : textLog({ messages: words, datagramsOnly: endpoints.flat().every(isDatagram), detail, quiet, write, writeError });
  const stopping = new AbortController();
  const { signal } = stopping;
  const server = new Server({ endpoints, engine, workers, quit: !options["no-quit"], once, grace, signal });
  const types: EventType[] | undefined = quiet ? ["fallback", "failed", "replaced", "stopped"] : undefined;
  server.subscribe(view, types, ratesOf(detail !== "normal"));

  let killed = false;
  // Before the log says that the server listens: whoever waits for that may send a signal at once.
  using _signals = onStopSignal((count) => {
    killed = count > 1;
    if (killed) server.kill();
    else stopping.abort();
  }, END_SIGNALS);
  await server.start();
  await server.finished;
  // In this order: what becomes of the log may be an error to tell.
  await output.flush(1000);
  await errors.flush(1000);
  if (killed) throw new MeariError("ended at once, by a second signal");
  return ExitCode.ok;
}
