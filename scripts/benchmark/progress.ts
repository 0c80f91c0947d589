/**
 * What a benchmark tells on stderr while it runs.
 *
 * @module
 */

import { StatusLine } from "../../lib/cli/status_line.ts";
import { formatDuration } from "../../lib/units.ts";
import type { Step } from "./benchmark.ts";
import { titleOf } from "./loads.ts";

/** Lines that stay, and below them, on a terminal, one that is kept up to date. */
export class BenchmarkProgress implements Disposable {
  #line = Deno.stderr.isTerminal() ? new StatusLine({ interval: 0 }) : undefined;

  /**
   * Tells something that stays.
   *
   * @param text One line.
   */
  say(text: string): void {
    this.#line?.clear();
    console.error(text);
  }

  /**
   * Tells what happens before the measurement.
   *
   * @param what What it is.
   */
  prepare(what: string): void {
    this.#line?.draw(() => [what]);
  }

  /**
   * Tells what is measured now.
   *
   * @param steps All measurements.
   * @param index Which one it is.
   */
  step(steps: readonly Step[], index: number): void {
    const { round, load, server } = steps[index]!;
    const left = secondsOf(steps.slice(index));
    const rounds = steps.at(-1)!.round + 1;
    this.#line?.draw(() => [`${round + 1}/${rounds} ${titleOf(load)}: ${server.name}`, `${left} left`]);
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    this.#line?.clear();
  }
}

/**
 * Tells about how long measurements take.
 *
 * @param steps The measurements.
 * @returns Text such as `4m 10s`.
 */
export function secondsOf(steps: readonly Step[]): string {
  return formatDuration(Math.round(steps.reduce((sum, { cost }) => sum + cost, 0)) * 1000);
}
