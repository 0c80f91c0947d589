import { assertEquals } from "@std/assert";
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
};

/** One of our programs in a terminal. */
export class Terminal extends RunningMeari {
  #seen = 0;

  constructor(name: Program, args: readonly string[], env: Record<string, string> = {}) {
    super([needs(PYTHON), DRIVER, ...program(name), ...args], { env: { TERM: "xterm-256color", ...env } });
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

  /** Waits for the end of the program, with this exit code, and checks that the terminal's settings are restored. */
  async ends(code: number): Promise<void> {
    assertEquals(await this.exit(), 0, this.stderr.text);
    assertEquals(this.stderr.text, `${code} restored\n`, this.shown);
  }
}
