/**
 * `meari bench`: puts a server under load, or compares two.
 *
 * @module
 */

import { answerCommon, END_SIGNALS, onStopSignal } from "../../lib/cli/program.ts";
import { printLine } from "../../lib/cli/output.ts";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { ExitCode, MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { isDatagram } from "../../lib/transport/mod.ts";
import { formatCount, formatSize } from "../../lib/units.ts";
import { measure, planOf } from "./bench.ts";
import { compare, type Pair, ratioLines } from "./compare.ts";
import { BenchFiles, refuseOneFile } from "./files.ts";
import { benchCommand, type BenchCommandLine, parseBenchArgs } from "./options.ts";
import { Progress, showProgress } from "./progress.ts";
import { type BenchSummary, exitCodeOf, resultLine, resultLines } from "./result.ts";

/**
 * Runs `meari bench`.
 *
 * @param args What the user typed after `bench`.
 * @returns The exit code.
 * @throws {UsageError} If the arguments are wrong.
 * @throws {MeariError} If the server is not there, a file cannot be written, or a signal comes before any answer.
 */
export async function runBench(args: readonly string[]): Promise<number> {
  const options = parseBenchArgs(args);
  if (answerCommon(benchCommand, options)) return ExitCode.ok;
  await refuseOneFile(options);
  const stopping = new AbortController();
  using _ = onStopSignal(() => stopping.abort(), END_SIGNALS);
  using files = new BenchFiles(options);
  const [first, second] = options.endpoints as [Endpoint, Endpoint?];
  const run = (endpoint: Endpoint, title: string) => benchOnce(endpoint, title, options, files, stopping.signal);
  const results = second === undefined
    ? [await run(first, nameOf(first))]
    : await compareServers([first, second], run, options, stopping.signal);
  const code = Math.max(...results.map(exitCodeOf));
  // Where nothing came back yet, nobody knows whether all is well.
  if (
    code === ExitCode.ok && stopping.signal.aborted && results.every(({ messages, bytes }) => messages + bytes === 0)
  ) {
    throw new MeariError("interrupted before there was a result");
  }
  if (second === undefined) {
    printResult(options, results[0], () => [headline(options, first), ...resultLines(results[0]!)]);
  }
  await files.finish();
  return code;
}

/** Runs one load, and shows how it goes. */
async function benchOnce(
  endpoint: Endpoint,
  title: string,
  { load }: BenchCommandLine,
  files: BenchFiles,
  signal: AbortSignal,
): Promise<BenchSummary> {
  const progress = new Progress(title, planOf(endpoint, load));
  using _ = showProgress(progress);
  const toFiles = files.beginSeries(endpoint);
  return await measure(endpoint, {
    ...load,
    signal,
    onStart: (start) => {
      files.open(start);
      progress.begin(start);
    },
    onInterval: (interval) => {
      toFiles(interval);
      progress.add(interval);
    },
  });
}

/** Puts two servers under the same load in turn, and prints how they compare; returns all results. */
async function compareServers(
  servers: readonly [Endpoint, Endpoint],
  run: (endpoint: Endpoint, title: string) => Promise<BenchSummary>,
  options: BenchCommandLine,
  signal: AbortSignal,
): Promise<BenchSummary[]> {
  const pairs: Pair[] = [];
  const all: BenchSummary[] = [];
  for (let round = 1; round <= options.rounds && !signal.aborted; round++) {
    // Each goes first in turn, so that neither always meets the machine as the other has left it.
    const order = round % 2 === 1 ? [0, 1] as const : [1, 0] as const;
    const results: BenchSummary[] = [];
    for (const which of order) {
      if (signal.aborted) break;
      const title = `${round}/${options.rounds} ${nameOf(servers[which])}`;
      const result = await run(servers[which], title);
      results[which] = result;
      all.push(result);
      if (!options.json) printLine(`${title}: ${resultLine(result)}`);
    }
    // A pair that was cut short compares nothing.
    if (!signal.aborted) pairs.push(results as unknown as Pair);
  }
  const ratio = compare(pairs);
  printResult(options, { endpoints: servers.map(formatEndpoint), rounds: pairs, ratio }, () => ratioLines(ratio));
  return all;
}

function printResult(options: BenchCommandLine, result: unknown, lines: () => string[]): void {
  if (options.json) printLine(JSON.stringify(result));
  else for (const line of lines()) printLine(line);
}

/** Says what the load is. */
function headline({ load }: BenchCommandLine, endpoint: Endpoint): string {
  const { connections, size, rate, depth } = planOf(endpoint, load);
  const plural = (count: number, noun: string) => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
  return [
    nameOf(endpoint),
    plural(connections, isDatagram(endpoint) ? "socket" : "connection"),
    `messages of ${formatSize(size)}`,
    rate === undefined ? `${formatCount(depth)} in flight on each` : `${formatCount(rate)} a second due`,
    ...(load.threads! > 1 ? [plural(load.threads!, "thread")] : []),
  ].join(", ");
}

/** An endpoint as it is shown: a path may hold anything. */
function nameOf(endpoint: Endpoint): string {
  return escapeControls(formatEndpoint(endpoint));
}
