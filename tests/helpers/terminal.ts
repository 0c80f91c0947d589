import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { type Program, program, RunningMeari } from "./meari.ts";
import { needs, PYTHON } from "./programs.ts";

/** The Python program that runs another one in a terminal. */
export const DRIVER = fileURLToPath(new URL("./terminal.py", import.meta.url));

/** Keys of a terminal. */
export const KEYS = {
  enter: "\r",
  up: "\x1b[A",
  down: "\x1b[B",
  left: "\x1b[D",
  home: "\x01",
  backspace: "\x7f",
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlZ: "\x1a",
  ctrlBackslash: "\x1c",
};

/** How one of our programs is started in a terminal. */
export interface TerminalOptions {
  /** Variables on top of the environment. */
  env?: Record<string, string>;
  /** A program that runs ours: its words, in front of those of ours. */
  within?: readonly string[];
}

/** One of our programs in a terminal. */
export class Terminal extends RunningMeari {
  #seen = 0;

  constructor(name: Program, args: readonly string[], { env = {}, within = [] }: TerminalOptions = {}) {
    super([needs(PYTHON), DRIVER, ...within, ...program(name), ...args], { env: { TERM: "xterm-256color", ...env } });
  }

  /** Everything that the terminal was told to show, escape sequences and all. */
  get shown(): string {
    return this.stdout.text;
  }

  /** Waits until it shows something that it has not shown before the last such wait. */
  async shows(pattern: RegExp | string): Promise<string> {
    const match = await this.stdout.until(pattern, this.#seen);
    this.#seen += match.index + match[0].length;
    return match[0];
  }

  /** Waits until it prompts for a line. What is typed earlier is shown by the terminal itself. */
  async prompts(): Promise<void> {
    await this.shows("> \x1b[3G");
  }

  /** Sends a signal to the program in the terminal. */
  async signal(signal: Deno.Signal): Promise<void> {
    const { stdout } = await new Deno.Command("ps", { args: ["-A", "-o", "ppid=,pid="] }).output();
    const child = new RegExp(`^ *${this.pid} +(\\d+)$`, "m").exec(new TextDecoder().decode(stdout))?.[1];
    assert(child !== undefined, "it has ended");
    Deno.kill(Number(child), signal);
  }

  /** Waits for the end of the program, with this exit code, and checks that the terminal's settings are restored. */
  async ends(code: number): Promise<void> {
    assertEquals(await this.exit(), 0, this.stderr.text);
    assertEquals(this.stderr.text, `${code} restored\n`, this.shown);
  }
}
