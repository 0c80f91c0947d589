/**
 * meari-server: arguments, signals and the exit code.
 *
 * @module
 */

import { ExitCode, MeariError } from "../lib/errors.ts";
import { LineWriter } from "../lib/cli/line_writer.ts";
import { detectLanguage, messages } from "../lib/cli/messages.ts";
import { outputSink } from "../lib/cli/output.ts";
import { answerCommon, onStopSignal, printError, runProgram } from "../lib/cli/program.ts";
import { adviceFor } from "./advice.ts";
import type { ServerEvent } from "./events.ts";
import { jsonLine } from "./views/json_log.ts";
import { MessageTexts } from "./views/message_texts.ts";
import { isDatagram } from "../lib/transport/mod.ts";
import { parseServerArgs, serverCommand } from "./options.ts";
import { startServer } from "./server.ts";
import { textLog } from "./views/text_log.ts";

const NAME = serverCommand.name;

if (import.meta.main) await runProgram(NAME, () => main(Deno.args), adviceFor);

async function main(args: readonly string[]): Promise<number> {
  const options = parseServerArgs(args);
  if (answerCommon(serverCommand, options)) return ExitCode.ok;

  const words = messages[options.lang ?? detectLanguage((name) => Deno.env.get(name))];
  const output = new LineWriter(outputSink, {
    describeLost: words.linesLost,
    onFailure: (cause) => printError(NAME, `cannot write the log: ${cause}; serving goes on without it`),
  });
  const texts = new MessageTexts();
  const writeError = (line: string) => printError(NAME, line);
  const detail = options.trace ? "trace" : options.verbose ? "verbose" : "normal";
  const view = options.log === "json"
    ? (event: ServerEvent) => output.write(jsonLine(event, new Date(), texts))
    : textLog({
      messages: words,
      datagramsOnly: options.endpoints.every(isDatagram),
      detail,
      write: options.quiet ? () => {} : (line) => output.write(line),
      writeError,
    });
  const starting = startServer({
    endpoints: options.endpoints,
    quit: !options["no-quit"],
    once: options.once,
    grace: options.grace,
    echoedPerSecond: options.quiet ? 0 : detail === "normal" ? 20 : Infinity,
    onEvent: options.quiet ? (event) => event.type === "failed" && view(event) : view,
  });

  let killed = false;
  // Before the log says that the server listens: whoever waits for that may send a signal at once.
  using _signals = onStopSignal((count) => {
    killed = count > 1;
    starting.then((server) => killed ? server.kill() : server.stop(), () => {});
  });
  const server = await starting;
  await server.finished;
  await output.flush(1000);
  if (killed) throw new MeariError("ended at once, by a second signal");
  return ExitCode.ok;
}
