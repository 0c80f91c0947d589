/**
 * `meari bench`: puts a server under load, or compares two.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { isDatagram } from "../../lib/transport/mod.ts";
import { describeCause, ExitCode, MeariError } from "../../lib/errors.ts";
import { type HdrInterval, HdrLogWriter } from "../measure/hdr_log_writer.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { printLine } from "../../lib/cli/output.ts";
import { answerCommon, onStopSignal } from "../../lib/cli/program.ts";
import { formatSize } from "../../lib/units.ts";
import { compare, type Pair, ratioLines } from "./compare.ts";
import type { LoadPlan } from "./schedule.ts";
import { benchCommand, type BenchCommandLine, parseBenchArgs } from "./options.ts";
import { showProgress } from "./progress.ts";
import { type BenchSummary, BenchTally, formatCount, resultLine, resultLines } from "./result.ts";
import { runLoad } from "./threads.ts";
import { replaceFile } from "../replace_file.ts";
import type { ReportSeries } from "../report/series.ts";

/**
 * Runs `meari bench`.
 *
 * @param args What the user typed after `bench`.
 * @returns The exit code.
 * @throws {UsageError} If the arguments are wrong.
 * @throws {MeariError} If no connection could be made, or a file cannot be written.
 */
export async function runBench(args: readonly string[]): Promise<number> {
  const options = parseBenchArgs(args);
  if (answerCommon(benchCommand, options)) return ExitCode.ok;
  const stopping = new AbortController();
  using _ = onStopSignal(() => stopping.abort());
  using outputs = new Outputs(options);
  const [first, second] = options.endpoints as [Endpoint, Endpoint?];
  const bench = new Bench(options, outputs, stopping.signal);
  if (second === undefined) {
    const summary = await bench.run(first, formatEndpoint(first));
    printResult(options, summary, () => [headline(options, first), ...resultLines(summary)]);
  } else await compareServers(bench, options, [first, second], stopping.signal);
  await outputs.writePage();
  return bench.exitCode;
}

async function compareServers(
  bench: Bench,
  options: BenchCommandLine,
  servers: readonly [Endpoint, Endpoint],
  signal: AbortSignal,
): Promise<void> {
  const pairs: Pair[] = [];
  for (let round = 1; round <= options.rounds && !signal.aborted; round++) {
    // Each goes first in turn, so that neither always meets the machine as the other has left it.
    const order = round % 2 === 1 ? [0, 1] as const : [1, 0] as const;
    const results: BenchSummary[] = [];
    for (const which of order) {
      const title = `${round}/${options.rounds} ${formatEndpoint(servers[which])}`;
      results[which] = await bench.run(servers[which], title);
      if (!options.json) printLine(`${title}: ${resultLine(results[which])}`);
    }
    // A pair that was cut short compares nothing.
    if (!signal.aborted) pairs.push(results as unknown as Pair);
  }
  const ratio = compare(pairs);
  printResult(options, { endpoints: servers.map(formatEndpoint), rounds: pairs, ratio }, () => ratioLines(ratio));
}

function printResult(options: BenchCommandLine, result: unknown, lines: () => string[]): void {
  if (options.json) printLine(JSON.stringify(result));
  else for (const line of lines()) printLine(line);
}

/** Says what the load is. */
function headline(options: BenchCommandLine, endpoint: Endpoint): string {
  const { connections, size, rate, depth, threads } = options;
  const plural = (count: number, noun: string) => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
  return [
    formatEndpoint(endpoint),
    plural(connections, isDatagram(endpoint) ? "socket" : "connection"),
    `messages of ${formatSize(size)}`,
    rate === undefined ? `${formatCount(depth)} under way on each` : `${formatCount(rate)} a second due`,
    ...(threads > 1 ? [plural(threads, "thread")] : []),
  ].join(", ");
}

/** Runs loads, one after the other. */
class Bench {
  /** What the program exits with: the gravest of all loads. */
  exitCode: number = ExitCode.ok;

  constructor(
    readonly options: BenchCommandLine,
    readonly outputs: Outputs,
    readonly signal: AbortSignal,
  ) {}

  async run(endpoint: Endpoint, title: string): Promise<BenchSummary> {
    const { connections, threads, warmup, messages, duration, rate } = this.options;
    const plan: LoadPlan = {
      ...this.options,
      endpoint,
      first: 0,
      count: connections,
      verify: !this.options["no-verify"],
    };
    const { outputs } = this;
    const tally = new BenchTally({ ...this.options, endpoint }, outputs.beginSeries(endpoint));
    using progress = new DisposableStack();
    await runLoad(plan, {
      threads,
      signal: this.signal,
      onStart: (begin) => {
        const start = begin + warmup;
        tally.begin(start);
        outputs.open(start);
        const expected = rate !== undefined && messages !== undefined ? messages / rate * 1000 : duration;
        progress.use(showProgress({ title, tally, start, duration: expected, messages }));
      },
      onReport: (thread, report) => tally.add(thread, report),
    });
    tally.close();
    this.exitCode = Math.max(this.exitCode, tally.exitCode);
    return tally.summary();
  }
}

/** The files that were asked for. */
class Outputs implements Disposable {
  #options: BenchCommandLine;
  #series = new Map<string, ReportSeries>();
  #file: Deno.FsFile | undefined;
  #log: HdrLogWriter | undefined;

  constructor(options: BenchCommandLine) {
    this.#options = options;
  }

  /** Opens them, so that one that cannot be written is noticed before the load and not after it. */
  open(start: number): void {
    const { hdr, html, endpoints } = this.#options;
    if (html !== undefined) writing(html, () => Deno.openSync(html, { append: true, create: true }).close());
    if (hdr === undefined || this.#file) return;
    const file = writing(hdr, () => Deno.openSync(hdr, { write: true, create: true, truncate: true }));
    this.#file = file;
    const write = (text: string) => {
      const bytes = new TextEncoder().encode(text);
      writing(hdr, () => {
        for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      });
    };
    const comments = [`meari bench ${endpoints.map(formatEndpoint).join(" ")}`];
    this.#log = new HdrLogWriter(write, { start, comments });
  }

  /** Takes the seconds of a load. */
  beginSeries(endpoint: Endpoint): (interval: HdrInterval) => void {
    const label = formatEndpoint(endpoint);
    const tag = this.#options.endpoints.length > 1 ? { tag: label } : {};
    const series = this.#series.get(label) ?? { label, latencies: new LatencyRecorder(), intervals: [] };
    this.#series.set(label, series);
    // The rounds of a comparison follow each other without the other server's time between them.
    const resume = series.intervals.at(-1)?.end;
    let shift: number | undefined;
    return ({ start, end, latencies }) => {
      this.#log?.write({ ...tag, start, end, latencies });
      if (this.#options.html === undefined) return;
      shift ??= resume === undefined ? 0 : resume - start;
      series.latencies.add(latencies);
      series.intervals.push({ start: start + shift, end: end + shift, count: latencies.count });
    };
  }

  async writePage(): Promise<void> {
    const { html } = this.#options;
    if (html === undefined) return;
    const { renderReport } = await import("../report/page.ts");
    await replaceFile(html, renderReport([...this.#series.values()]));
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new MeariError(`cannot write ${path}: ${describeCause(error)}`, { cause: error });
  }
}
