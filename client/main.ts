/**
 * meari, the client: arguments, the choice of the mode, and the exit code.
 *
 * @module
 */

import { runProgram } from "../lib/cli/program.ts";
import { adviceFor } from "./advice.ts";

/** A mode: from its arguments to its exit code. */
type Mode = (args: readonly string[]) => Promise<number>;

/** The modes that are called by name. Each is loaded only where it is used. */
const MODES: Record<string, () => Promise<Mode>> = {
  ping: async () => (await import("./ping/command.ts")).runPingCommand,
  bench: async () => (await import("./bench/command.ts")).runBench,
  report: async () => (await import("./report/command.ts")).runReport,
};

async function main(args: readonly string[]): Promise<number> {
  const [word = "", ...rest] = args;
  if (Object.hasOwn(MODES, word)) return await (await MODES[word]!())(rest);
  const { runTalkCommand } = await import("./talk/command.ts");
  return await runTalkCommand(args);
}

if (import.meta.main) await runProgram("meari", () => main(Deno.args), adviceFor);
