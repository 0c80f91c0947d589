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

if (import.meta.main) {
  const [word = "", ...rest] = Deno.args;
  const mode = Object.hasOwn(MODES, word) ? MODES[word] : undefined;
  // A mode has a help of its own.
  await runProgram(mode ? `meari ${word}` : "meari", async () => {
    if (mode) return await (await mode())(rest);
    const { runTalkCommand } = await import("./talk/command.ts");
    return await runTalkCommand(Deno.args);
  }, adviceFor);
}
