/**
 * `deno task benchmark`: compares the compiled server with echo servers of other makes, in turn and in one run, by
 * `meari bench A B`. What counts is the ratios: they hold where the machine's speed does not.
 *
 * @module
 */

import { MeariError } from "../lib/errors.ts";
import { runProgram } from "../lib/cli/program.ts";

const LOADS: Record<string, { transport: "tcp" | "udp"; args: string[] }> = {
  "64 connections × 64 B": { transport: "tcp", args: ["-c", "64", "-s", "64"] },
  "8 connections × 256 KiB in flight": { transport: "tcp", args: ["-c", "8", "-s", "64KiB", "--depth", "4"] },
  "8 UDP sockets × 8 datagrams": { transport: "udp", args: ["-c", "8", "-s", "64", "--depth", "8"] },
};

const PEERS: Record<string, string[]> = {
  "Node": ["node", "scripts/peers/node_echo.mjs"],
  "Python asyncio": ["python3", "scripts/peers/asyncio_echo.py"],
};

/** An echo server that runs. */
interface Running extends AsyncDisposable {
  tcp: string;
  udp: string;
}

/** Starts a server and reads the ports of TCP and UDP from what it prints first. */
async function start(command: string[], ports: RegExp): Promise<Running> {
  const [program = "", ...args] = command;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new MeariError(`${program} is missing; install or compile it first`);
    }
    throw error;
  }
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.status;
    await reader.cancel();
  };
  for (let text = "";;) {
    const { value, done } = await reader.read();
    if (done) {
      await stop();
      throw new MeariError(`${command.join(" ")} did not start`);
    }
    text += value;
    const found = ports.exec(text);
    if (found === null) continue;
    const [, tcp, udp] = found;
    return { tcp: `tcp://127.0.0.1:${tcp}`, udp: `udp://127.0.0.1:${udp}`, [Symbol.asyncDispose]: stop };
  }
}

/** Runs one load against two servers in turn; returns the lowest, the median and the highest ratio of their rates. */
async function compare(args: string[], a: string, b: string): Promise<number[]> {
  const command = new Deno.Command("dist/meari", {
    args: ["bench", ...args, "--json", "-d", "1s", "--warmup", "500ms", "--rounds", "7", a, b],
    stdin: "null",
    stderr: "inherit",
  });
  const { stdout } = await command.output();
  const { ratio } = JSON.parse(new TextDecoder().decode(stdout));
  return [ratio.messages_per_s.min, ratio.messages_per_s.median, ratio.messages_per_s.max];
}

await runProgram("benchmark", async () => {
  Deno.chdir(new URL("..", import.meta.url));
  await using meari = await start(
    ["dist/meari-server", "-p", "0"],
    /tcp:\/\/127\.0\.0\.1:(\d+)[^]*udp:\/\/127\.0\.0\.1:(\d+)/,
  );
  console.log(`messages a second, meari-server / peer: median (lowest to highest of 7 rounds)`);
  for (const [name, command] of Object.entries(PEERS)) {
    await using peer = await start(command, /(\d+) (\d+)\n/);
    for (const [load, { transport, args }] of Object.entries(LOADS)) {
      const [lowest, median, highest] = (await compare(args, meari[transport], peer[transport])).map((r) =>
        r.toFixed(2)
      );
      console.log(`${name.padEnd(16)} ${load.padEnd(36)} ${median} (${lowest} to ${highest})`);
    }
  }
  return 0;
});
