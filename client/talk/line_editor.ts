/**
 * A line editor at the terminal: what is typed is edited below what is shown.
 *
 * @module
 */

import process from "node:process";
import readline from "node:readline";
import type { ChatTerminal } from "./chat.ts";

/** What Ctrl+\ sends. */
const CTRL_BACKSLASH = "\x1c";

/**
 * Reads lines from the terminal at stdin, with editing and history. The terminal is in raw mode from the first line on,
 * until the editor is closed, which Ctrl+D, Ctrl+C and Ctrl+\ do, too.
 *
 * Ctrl+Z does nothing. To stop itself a program needs Deno's permission to run any other; and if the key stayed a signal,
 * `deno task` would keep the terminal when its child is stopped, and not even Ctrl+C would get it back.
 */
export class LineEditor implements ChatTerminal {
  readonly closed: Promise<undefined>;
  #output: typeof process.stdout | typeof process.stderr;
  #editor: readline.Interface | undefined;
  /** Typed and not read yet; several where they were pasted. */
  #lines: string[] = [];
  #prompting = false;
  #isClosed = false;
  #onClosed: (value: undefined) => void;
  #onLine: (() => void) | undefined;
  #close = () => this.close();
  #onKey = (_: unknown, { sequence }: { sequence?: string }) => {
    if (sequence === CTRL_BACKSLASH) this.close();
  };

  /**
   * Makes an editor.
   *
   * @param output Which stream of this program is the terminal.
   */
  constructor(output: "stdout" | "stderr") {
    this.#output = process[output];
    // Where the terminal has gone there is nobody to show things to.
    this.#output.on("error", this.#close);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.closed = promise;
    this.#onClosed = resolve;
  }

  say(line: string): void {
    const output = this.#output;
    const editor = this.#editor;
    if (editor === undefined || this.#isClosed || !(this.#prompting || editor.line !== "")) {
      output.write(`${line}\n`);
      return;
    }
    // What is being typed may take several rows. It is drawn anew from as many rows above the cursor.
    const { rows } = editor.getCursorPos();
    readline.moveCursor(output, 0, -rows);
    readline.cursorTo(output, 0);
    readline.clearScreenDown(output);
    output.write(`${line}\n${"\n".repeat(rows)}`);
    editor.prompt(true);
  }

  async read(): Promise<string | undefined> {
    if (this.#isClosed) return undefined;
    const editor = this.#editor ??= this.#open();
    this.#prompting = true;
    if (this.#lines.length === 0) editor.prompt(true);
    while (!this.#isClosed && this.#lines.length === 0) await new Promise<void>((resolve) => this.#onLine = resolve);
    this.#prompting = false;
    return this.#isClosed ? undefined : this.#lines.shift();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#editor) {
      this.#editor.close();
      // The line that was being typed stays as it is.
      if (this.#prompting) this.#output.write("\n");
      process.stdin.off("keypress", this.#onKey);
    }
    this.#onClosed(undefined);
    this.#onLine?.();
  }

  #open(): readline.Interface {
    const editor = readline.createInterface({
      input: process.stdin,
      output: this.#output,
      prompt: "> ",
      terminal: true,
    });
    editor.on("line", (line: string) => {
      this.#lines.push(line);
      this.#onLine?.();
    });
    editor.on("SIGINT", this.#close);
    // Without a listener the editor would stop the program.
    editor.on("SIGTSTP", () => {});
    editor.on("close", this.#close);
    process.stdin.on("keypress", this.#onKey);
    return editor;
  }
}
