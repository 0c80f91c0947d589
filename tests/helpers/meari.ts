import { assertEquals } from "@std/assert";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { DENO, type Outcome } from "./programs.ts";
import { Running, type StartOptions } from "./running.ts";

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** One of our programs. */
export type Program = "meari" | "meari-server";

/**
 * The command that runs one of our programs: the compiled one where the environment variable `MEARI_DIST` names their
 * folder, else from source, as its task does.
 */
export function program(name: Program): string[] {
  const dist = Deno.env.get("MEARI_DIST");
  if (dist) return [resolve(ROOT, dist, Deno.build.os === "windows" ? `${name}.exe` : name)];
  const task = config.tasks[name === "meari" ? "client" : "serve"].command.split(" ").slice(1);
  return [DENO, ...task.map((word) => word.endsWith(".ts") ? resolve(ROOT, word) : word)];
}

/** An environment in which our programs speak English, without colours. */
const ENGLISH = { LC_ALL: "", LC_MESSAGES: "", LANG: "en_US.UTF-8", NO_COLOR: "1" };

/** One of our programs that runs. Its end fails the test if there is a stack trace on stderr. */
export class RunningMeari extends Running {
  constructor(command: readonly string[], options: StartOptions = {}) {
    super(command, { cwd: ROOT, ...options, env: { ...ENGLISH, ...options.env } });
  }

  override async exit(): Promise<number> {
    const code = await super.exit();
    assertNoStackTrace(this.stderr.text);
    return code;
  }
}

/** Fails where a text holds a stack trace or what a crash of Deno prints. */
export function assertNoStackTrace(text: string): void {
  assertEquals(/^ +at |Uncaught|panicked|file:\/\/|Error:/m.exec(text)?.input, undefined, "a stack trace");
}

/** Starts one of our programs. */
export function start(name: Program, args: readonly string[], options?: StartOptions): RunningMeari {
  return new RunningMeari([...program(name), ...args], options);
}

/** Runs one of our programs to its end. */
export async function meari(
  name: Program,
  args: readonly string[],
  { stdin = "", ...options }: StartOptions & { stdin?: string | Uint8Array } = {},
): Promise<Outcome> {
  return await finish(start(name, args, options), stdin);
}

/** Starts one of our programs as bash does, with its stdout redirected, such as `>&-` for none. */
export function startRedirected(redirection: string, name: Program, args: readonly string[]): RunningMeari {
  return new RunningMeari(["bash", "-c", `exec "$@" ${redirection}`, "bash", ...program(name), ...args]);
}

/** Starts one of our programs with its stdout on a device that is always full. */
export function startOnFullDevice(name: Program, args: readonly string[]): RunningMeari {
  return startRedirected("> /dev/full", name, args);
}

/** Gives a program its input and waits for its end. */
export async function finish(running: RunningMeari, stdin: string | Uint8Array = ""): Promise<Outcome> {
  await using process = running;
  const [code] = await Promise.all([process.exit(), process.type(stdin).then(() => process.endInput())]);
  return { code, stdout: process.stdout.bytes, text: process.stdout.text, stderr: process.stderr.text };
}

/** Starts meari-server and waits until it listens; the endpoints are those that it tells, in English or Korean. */
export async function startMeariServer(
  args: readonly string[],
  options?: StartOptions & { count?: number },
): Promise<{ server: RunningMeari; endpoints: string[] }> {
  const server = start("meari-server", args, options);
  const endpoints: string[] = [];
  for (let from = 0; endpoints.length < (options?.count ?? 1);) {
    const told = await server.stdout.until(/(?:tcp|udp|unix|unixgram):\/\/[^\s"]+/, from);
    endpoints.push(told[0]);
    from += told.index + told[0].length;
  }
  return { server, endpoints };
}
