/**
 * The one line of a terminal that is kept up to date while something runs.
 *
 * @module
 */

import { escapeControls } from "../escape.ts";
import { textWidth, truncate } from "./text_width.ts";

/** How wide a terminal is that does not say so. */
const DEFAULT_COLUMNS = 80;

/** Stays free at the right: a terminal shows `^C` where the line ends, and must not wrap it. */
const FREE_COLUMNS = 3;

/** How a {@linkcode StatusLine} is drawn. */
export interface StatusLineOptions {
  /** Writes to the terminal. Default: to stderr. */
  write?: (text: string) => void;
  /** Tells how wide the terminal is. Default: {@linkcode terminalColumns}. */
  columns?: () => number;
  /** The least time between two draws, in milliseconds. Default: 100. */
  interval?: number;
}

/**
 * A line on a terminal that shows how something stands. It always fits: what does not is left out, the least important
 * first. A terminal that has gone is given up without an error.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const screen: string[] = [];
 * {
 *   using line = new StatusLine({ write: (text) => screen.push(text), columns: () => 24 });
 *   line.draw(() => ["1.5 MiB sent", "1 MiB back", "800 KiB/s"]);
 * }
 * assertEquals(screen, ["\r1.5 MiB sent\x1b[K", "\r\x1b[K"]);
 * ```
 */
export class StatusLine {
  #write: (text: string) => void;
  #columns: () => number;
  #interval: number;
  #drawnAt = -Infinity;
  #shown = false;
  #gone = false;

  /** @param options How it is drawn. */
  constructor({ write = writeToStderr, columns = terminalColumns, interval = 100 }: StatusLineOptions = {}) {
    this.#write = write;
    this.#columns = columns;
    this.#interval = interval;
  }

  /**
   * Draws the line anew, unless it was drawn a moment ago.
   *
   * @param parts Makes the parts of the line, the most important first; called only where the line is drawn. It is told how
   * many columns there are for all of them and the two spaces between each and the next.
   */
  draw(parts: (columns: number) => readonly string[]): void {
    const now = performance.now();
    if (this.#gone || now - this.#drawnAt < this.#interval) return;
    this.#drawnAt = now;
    const columns = Math.max(0, this.#columns() - FREE_COLUMNS);
    const [first = "", ...rest] = parts(columns).filter((part) => part !== "").map(escapeControls);
    let line = truncate(first, columns);
    for (const part of rest) {
      const longer = `${line}  ${part}`;
      if (textWidth(longer) > columns) break;
      line = longer;
    }
    this.#tryWrite(`\r${line}\x1b[K`);
    this.#shown = true;
  }

  /** Removes the line from the terminal, so that something else can be written there. */
  clear(): void {
    if (this.#shown) this.#tryWrite("\r\x1b[K");
    this.#shown = false;
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    this.clear();
  }

  #tryWrite(text: string): void {
    try {
      if (!this.#gone) this.#write(text);
    } catch {
      // There is nobody left to show it to.
      this.#gone = true;
    }
  }
}

/**
 * Asks how wide the terminal is.
 *
 * @returns Its columns; 80 where there is no terminal, or one that does not say.
 */
export function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}

function writeToStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
