/**
 * The progress of a load on a terminal.
 *
 * @module
 */

import { StatusLine } from "../../lib/cli/status_line.ts";
import { textWidth } from "../../lib/cli/text_width.ts";
import { formatCount, formatDuration } from "../../lib/units.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import type { LoadPlan } from "./load/plan.ts";
import { formatByteRate } from "./result.ts";
import type { MeasuredInterval } from "./tally.ts";

/** How often the line is drawn, in milliseconds. */
const PERIOD = 200;

/** How wide the bar is, in columns: at the most, and at the least beside a title. */
const BAR = { most: 30, least: 10 };

/** What is known of a load while it runs. */
export class Progress {
  #title: string;
  #plan: Pick<LoadPlan, "duration" | "messages" | "rate">;
  #latencies = new LatencyRecorder();
  #bytes = 0;
  #start = Infinity;
  #now = Infinity;

  /**
   * Makes the progress of a load that is not connected yet.
   *
   * @param title What the line begins with, where there is room for it.
   * @param plan The load.
   */
  constructor(title: string, plan: Pick<LoadPlan, "duration" | "messages" | "rate">) {
    this.#title = title;
    this.#plan = plan;
  }

  /**
   * Takes that all is connected.
   *
   * @param start When the measurement begins, in milliseconds since 1970.
   */
  begin(start: number): void {
    this.#start = this.#now = start;
  }

  /**
   * Takes what came back in a second.
   *
   * @param interval That second.
   */
  add({ end, latencies, bytes }: MeasuredInterval): void {
    this.#now = end;
    this.#latencies.add(latencies);
    this.#bytes += bytes;
  }

  /**
   * Writes how the load stands.
   *
   * @param now The time in milliseconds since 1970.
   * @param columns How wide the line may be; from 36 on, all figures fit.
   * @returns Text such as `tcp://127.0.0.1:65456 ███████░░░░░░░ 50 %  123,457/s  p99 812us`.
   */
  line(now: number, columns: number): string {
    const began = now >= this.#start;
    const share = began ? Math.min(1, this.#share(now)) : 0;
    const state = this.#start === Infinity ? "connecting" : began ? `${Math.round(share * 100)} %` : "warming up";
    const text = state + this.#figures();
    const width = textWidth(this.#title) + 1;
    const room = columns - text.length - 1;
    const titled = room - width >= BAR.least;
    const length = began ? Math.min(BAR.most, titled ? room - width : room) : 0;
    const full = Math.round(share * length);
    const bar = length > 0 ? `${"█".repeat(full)}${"░".repeat(length - full)} ` : "";
    return `${titled ? `${this.#title} ` : ""}${bar}${text}`.slice(0, columns);
  }

  #share(now: number): number {
    const { duration, messages, rate } = this.#plan;
    if (messages === undefined) return (now - this.#start) / duration;
    // On a schedule, time tells how far it is, also where no answers come.
    return rate === undefined ? this.#latencies.count / messages : (now - this.#start) / (messages / rate * 1000);
  }

  #figures(): string {
    const { count } = this.#latencies;
    const seconds = (this.#now - this.#start) / 1000;
    if (!(seconds > 0)) return "";
    if (count === 0) return `  ${formatByteRate(this.#bytes / seconds)}`;
    return `  ${formatCount(count / seconds)}/s  p99 ${formatDuration(this.#latencies.percentile(99) / 1000)}`;
  }
}

/**
 * Keeps a line on stderr up to date, if that is a terminal, until disposed.
 *
 * @param progress The load.
 * @returns Clears the line.
 */
export function showProgress(progress: Progress): Disposable {
  if (!Deno.stderr.isTerminal()) return { [Symbol.dispose]: () => {} };
  const line = new StatusLine();
  const timer = setInterval(() => line.draw((columns) => [progress.line(Date.now(), columns)]), PERIOD);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      line.clear();
    },
  };
}
