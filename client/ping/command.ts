/**
 * `meari ping` from its arguments to its exit code.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { ExitCode } from "../../lib/errors.ts";
import { printLine, writeOutputSync } from "../../lib/cli/output.ts";
import { answerCommon, onStopSignal, printError } from "../../lib/cli/program.ts";
import { formatDuration, formatSize } from "../../lib/units.ts";
import { type PingOptions, type PingResult, runConnectPing, runPing } from "./ping.ts";
import { parsePingArgs, pingCommand, type PingCommandLine, type SweepRange } from "./options.ts";
import { HEADER_BYTES } from "./probe.ts";
import { runSweep, type SweepRow } from "./sweep.ts";
import type { PingTally, Sample } from "./tally.ts";
import { histogram, interimLine, LiveLine, sampleLine, sampleObject, summaryLines } from "./view.ts";

/** How many datagrams of each size a sweep sends where the user says nothing. */
const SWEEP_COUNT = 3;

/**
 * Runs `meari ping`.
 *
 * @param args What the user typed after it.
 * @returns The exit code: 3 if more was lost than allowed, anything was damaged, or an answer took longer than allowed.
 * @throws {MeariError} If it was called wrongly, or the server cannot be reached.
 */
export async function runPingCommand(args: readonly string[]): Promise<number> {
  const options = parsePingArgs(args);
  if (answerCommon(pingCommand, options)) return ExitCode.ok;
  const abort = new AbortController();
  using _signals = onStopSignal(() => abort.abort());
  return options.sweep ? await sweep(options, options.sweep, abort.signal) : await ping(options, abort.signal);
}

async function ping(options: PingCommandLine, signal: AbortSignal): Promise<number> {
  const { endpoint, json, connect } = options;
  const place = formatEndpoint(endpoint);
  const live = options.live ? new LiveLine((text) => writeOutputSync(new TextEncoder().encode(text))) : undefined;
  let peer = place;
  let books: { tally: PingTally; now: () => number } | undefined;
  const summarize = () => books!.tally.summary(books!.now(), false);
  const tellSample = (sample: Sample) => {
    if (json) return options.samples ? printLine(JSON.stringify(sampleObject(sample))) : undefined;
    if (live) return live.update(sample, summarize);
    if (!options.flood) printLine(sampleLine(sample, peer, connect));
  };
  // What is thrown here would be lost among the sockets; it ends the session instead.
  let broken: unknown;
  const stop = new AbortController();
  const guarded = <A extends unknown[]>(tell: (...args: A) => void) => (...args: A) => {
    try {
      tell(...args);
    } catch (error) {
      broken ??= error;
      stop.abort();
    }
  };
  const run: PingOptions = {
    interval: options.interval,
    flood: options.flood,
    count: options.count ?? Infinity,
    deadline: options.deadline ?? Infinity,
    size: options.size,
    wait: options.wait,
    timeout: options.timeout,
    signal: AbortSignal.any([signal, stop.signal]),
    onStart: guarded((address, tally, now) => {
      peer = address;
      books = { tally, now };
      if (!json) printLine(`PING ${place}: ${what(options)}`);
    }),
    onSample: guarded(tellSample),
    onFailure: guarded((sequence, cause) => {
      if (json) {
        if (options.samples) printLine(JSON.stringify({ seq: sequence, error: cause }));
      } else if (!live && !options.flood) printLine(`seq=${sequence}: ${cause}`);
    }),
  };
  const interim = onInterimSignal(() => books && printError(pingCommand.name, interimLine(summarize())));
  let result: PingResult;
  try {
    result = connect ? await runConnectPing(endpoint, run) : await runPing(endpoint, run);
  } finally {
    interim[Symbol.dispose]();
    live?.end();
  }
  if (broken !== undefined) throw broken;

  const { summary, finding } = result;
  if (finding !== undefined) printError(pingCommand.name, finding);
  if (json) printLine(JSON.stringify(finding === undefined ? summary : { ...summary, finding }));
  else {
    if (!live) printLine("");
    for (const line of summaryLines(place, summary, connect || options.size >= HEADER_BYTES)) printLine(line);
    if (options.histogram) { for (const line of histogram(books!.tally)) printLine(line); }
  }
  const lossPercent = summary.sent === 0 ? 0 : 100 * summary.lost / summary.sent;
  const slow = options["fail-above"] !== undefined && (summary.rtt_us?.max ?? 0) > options["fail-above"] * 1000;
  if (slow) printError(pingCommand.name, `an answer took longer than ${formatDuration(options["fail-above"]!)}`);
  const failed = finding !== undefined || slow || summary.corrupted > 0 || lossPercent > options["fail-loss"];
  return failed ? ExitCode.mismatch : ExitCode.ok;
}

function what(options: PingCommandLine): string {
  const unit = options.connect ? "a new connection" : formatSize(options.size);
  if (options.flood) return `${unit}, flooding`;
  return options.interval === 0
    ? `${unit} as fast as answers come`
    : `${unit} every ${formatDuration(options.interval)}`;
}

async function sweep(options: PingCommandLine, range: SweepRange, signal: AbortSignal): Promise<number> {
  const { json } = options;
  if (!json) printLine(`PING ${formatEndpoint(options.endpoint)}: datagrams of ${range.min} to ${range.max} bytes`);
  const result = await runSweep(options.endpoint, {
    range,
    count: options.count ?? SWEEP_COUNT,
    wait: options.wait,
    onRow: (row) => json || printLine(rowLine(row)),
    signal,
  });
  if (json) printLine(JSON.stringify(result));
  else {
    printLine("");
    printLine(
      result.largest_bytes === null
        ? "no datagram came back"
        : `largest datagram that comes back: ${result.largest_bytes} bytes`,
    );
    printLine(result.loss_from_bytes === null ? "no loss at any size" : `loss from ${result.loss_from_bytes} bytes on`);
  }
  return result.largest_bytes === null ? ExitCode.mismatch : ExitCode.ok;
}

function rowLine({ bytes, sent, received, rtt_us: rtt, error }: SweepRow): string {
  const times = rtt === null
    ? ""
    : `  RTT ms: min ${(rtt.min / 1000).toFixed(3)}, median ${(rtt.median / 1000).toFixed(3)}`;
  return `${String(bytes).padStart(6)} bytes: ${received} of ${sent} came back${times}${error ? `  (${error})` : ""}`;
}

/** Calls back at SIGQUIT, and at SIGINFO where there is one. */
function onInterimSignal(tell: () => void): Disposable {
  const { os } = Deno.build;
  const signals: Deno.Signal[] = os === "windows" ? [] : os === "linux" ? ["SIGQUIT"] : ["SIGQUIT", "SIGINFO"];
  for (const signal of signals) Deno.addSignalListener(signal, tell);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, tell);
    },
  };
}
