/**
 * Lines on their way to a file, a pipe or a terminal that may be slower than what they tell of.
 *
 * @module
 */

import { describeCause, errorCode } from "../errors.ts";
import { waitAtMost } from "../wait_at_most.ts";
import { OutputClosed } from "./output.ts";

/** What a {@linkcode LineWriter} writes to: `Deno.stdout` or the like. */
export interface LineSink {
  /** Writes, possibly less than all. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What a {@linkcode LineWriter} tells its owner. */
export interface LineWriterOptions {
  /** Makes the line that stands for lines that were lost, in the form that the other lines have. */
  describeLost: (lines: number) => string;
  /** Told once, the first time that writing fails, why it did. */
  onFailure: (cause: string) => void;
  /** How many characters may wait. Default: 1 MiB. */
  limit?: number;
}

/**
 * Writes lines, of a log to stdout or of errors to stderr, without ever making the caller wait: they queue up and go out as
 * fast as the sink takes them. Where more wait than the limit, further ones are dropped. A sink that has gone for good is
 * given up; any other failure, such as a full disk, loses the lines at hand. As soon as lines go out again, one says how
 * many were lost.
 */
export class LineWriter {
  #sink: LineSink;
  #options: LineWriterOptions;
  #limit: number;
  #waiting: string[] = [];
  #size = 0;
  #lost = 0;
  #torn = false;
  #gone = false;
  #told = false;
  #pumping: Promise<void> | undefined;

  /**
   * @param sink What to write to.
   * @param options What to say about lines that are lost and a sink that fails.
   */
  constructor(sink: LineSink, options: LineWriterOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#limit = options.limit ?? 1024 * 1024;
  }

  /**
   * Queues a line.
   *
   * @param line The text, without its line end.
   */
  write(line: string): void {
    if (this.#gone) return;
    if (this.#size > this.#limit) {
      this.#lost++;
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length + 1;
    this.#pumping ??= this.#pump();
  }

  /**
   * Waits until all lines are written.
   *
   * @param timeout The longest to wait, in milliseconds.
   */
  async flush(timeout: number): Promise<void> {
    if (this.#pumping !== undefined) await waitAtMost(timeout, this.#pumping);
  }

  async #pump(): Promise<void> {
    // The lines of one turn of the event loop go out together.
    await Promise.resolve();
    const encoder = new TextEncoder();
    while (this.#waiting.length > 0 && !this.#gone) {
      const lines = this.#waiting.splice(0);
      this.#size = 0;
      const lost = this.#lost;
      const told = lost > 0 ? [this.#options.describeLost(lost)] : [];
      const text = [...lines, ...told, ""].join("\n");
      // A line that was written in part does not run into the next.
      const bytes = encoder.encode(this.#torn ? `\n${text}` : text);
      let done = 0;
      try {
        while (done < bytes.length) done += await this.#sink.write(bytes.subarray(done));
        this.#lost -= lost;
      } catch (error) {
        // What lacks its line end alone gets it with the next line.
        let end = this.#torn ? 0 : -1;
        const out = [...lines, ...told].findIndex((line) => (end += encoder.encode(line).length + 1) > done);
        this.#lost += out < 0 ? -lost : Math.max(0, lines.length - out);
        this.#gone = error instanceof OutputClosed || errorCode(error) === "EPIPE";
        if (!this.#told) this.#options.onFailure(describeCause(error));
        this.#told = true;
      }
      if (done > 0) this.#torn = bytes[done - 1] !== 0x0a;
    }
    this.#pumping = undefined;
  }
}
