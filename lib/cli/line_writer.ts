/**
 * Lines of a log on their way to a file, a pipe or a terminal that may be slower than what they tell of.
 *
 * @module
 */

import { describeCause, errorCode } from "../errors.ts";
import { waitAtMost } from "../wait_at_most.ts";

/** What a {@linkcode LineWriter} writes to: `Deno.stdout` or the like. */
export interface LineSink {
  /** Writes, possibly less than all. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What a {@linkcode LineWriter} tells its owner. */
export interface LineWriterOptions {
  /** Makes the line that stands for lines that were dropped. */
  describeLost: (lines: number) => string;
  /** Told once, the first time that writing fails, why it did. */
  onFailure: (cause: string) => void;
  /** How many characters may wait. Default: 1 MiB. */
  limit?: number;
}

/**
 * Writes lines without ever making the caller wait: they queue up and go out as fast as the sink takes them. Where more
 * wait than the limit, further ones are dropped, and one line says how many. A sink that breaks for good (`EPIPE`) is
 * given up; any other failure, such as a full disk, loses the lines at hand and is tried again with the next.
 */
export class LineWriter {
  #sink: LineSink;
  #options: LineWriterOptions;
  #limit: number;
  #waiting: string[] = [];
  #size = 0;
  #lost = 0;
  #broken = false;
  #told = false;
  #pumping: Promise<void> | undefined;

  /**
   * @param sink What to write to.
   * @param options What to say about lines that are lost.
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
    if (this.#broken) return;
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
    while (this.#waiting.length > 0 && !this.#broken) {
      const bytes = encoder.encode(this.#waiting.join("\n") + "\n");
      this.#waiting.length = 0;
      this.#size = 0;
      try {
        for (let done = 0; done < bytes.length;) done += await this.#sink.write(bytes.subarray(done));
      } catch (error) {
        this.#broken = errorCode(error) === "EPIPE";
        if (!this.#told) this.#options.onFailure(describeCause(error));
        this.#told = true;
      }
      if (this.#lost > 0) {
        this.#waiting.push(this.#options.describeLost(this.#lost));
        this.#lost = 0;
      }
    }
    this.#pumping = undefined;
  }
}
