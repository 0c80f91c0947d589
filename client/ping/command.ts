/**
 * `meari ping` from its arguments to its exit code.
 *
 * @module
 */

import { formatEndpoint } from "../../lib/endpoint.ts";
import { ExitCode, MeariError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { printLine, writeOutputSync } from "../../lib/cli/output.ts";
import { answerCommon, END_SIGNALS, onStopSignal, printError } from "../../lib/cli/program.ts";
import { terminalColumns } from "../../lib/cli/status_line.ts";
import { formatDuration, formatSize, plural } from "../../lib/units.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { histogramLines } from "../measure/pictures.ts";
import { connectPing } from "./connect_ping.ts";
import { LiveLine } from "./live_line.ts";
import { parsePingArgs, pingCommand, type PingCommandLine } from "./options.ts";
import { ping } from "./ping.ts";
import type { Sample } from "./sample.ts";
import type { PingOptions, PingProgress, PingResult } from "./session.ts";
import { sweep, type SweepRange } from "./sweep.ts";
import { interimLine, rowLine, sampleLine, summaryLines, sweepLines } from "./view.ts";

/** How wide a picture is at the most, in columns. */
const LARGEST_WIDTH = 100;

/** How often the line of `--live` is drawn, in milliseconds: at the most, and at the least. */
const REDRAW = { most: 50, least: 500 };

/**
 * Runs `meari ping`.
 *
 * @param args What the user typed after it.
 * @returns The exit code: 3 if more was lost than allowed, anything came back that was not sent, or an answer took longer
 * than allowed.
 * @throws {MeariError} If it was called wrongly, the server cannot be reached, or it ended before there was a result.
 */
export async function runPingCommand(args: readonly string[]): Promise<number> {
  const options = parsePingArgs(args);
  if (answerCommon(pingCommand, options)) return ExitCode.ok;
  const stop = new AbortController();
  // SIGQUIT asks a session for a line so far.
  const signals = options.sweep ? END_SIGNALS : END_SIGNALS.filter((signal) => signal !== "SIGQUIT");
  using _signals = onStopSignal(() => stop.abort(new MeariError("interrupted before there was a result")), signals);
  return options.sweep ? await runSweep(options, options.sweep, stop.signal) : await runPing(options, stop.signal);
}

async function runPing(options: PingCommandLine, signal: AbortSignal): Promise<number> {
  const { endpoint, json, connect } = options;
  const place = escapeControls(formatEndpoint(endpoint));
  const latencies = options.histogram ? new LatencyRecorder() : undefined;
  const live = options.live ? new LiveLine({ write: writeText, interval: REDRAW.most }) : undefined;
  let progress: PingProgress | undefined;
  let damaged = false;
  const run: PingOptions = {
    interval: options.interval,
    flood: options.flood,
    count: options.count ?? Infinity,
    deadline: options.deadline,
    size: options.size,
    wait: options.wait,
    timeout: options.timeout,
    signal,
    onStart: (started) => {
      progress = started;
      if (!json) printLine(`PING ${place}: ${whatGoesOut(options)}`);
    },
    onSample: (sample) => {
      damaged ||= sample.wrong_byte !== undefined;
      if (sample.rtt_us !== null && !sample.odd.includes("duplicate")) latencies?.record(sample.rtt_us * 1000);
      if (json) return options.samples ? printLine(JSON.stringify(sample)) : undefined;
      if (live) return live.update(sample, () => progress!.summary());
      if (!options.flood) printLine(sampleLine(sample, origin(sample)));
    },
    onFailure: (sequence, cause) => {
      if (json) return options.samples ? printLine(JSON.stringify({ seq: sequence, error: cause })) : undefined;
      if (!live && !options.flood) printLine(`seq=${sequence}: ${cause}`);
    },
  };
  const origin = ({ bytes }: Sample) => {
    const peer = escapeControls(progress!.peer);
    return connect ? `connected to ${peer}` : `${plural(bytes, "byte")} from ${peer}`;
  };
  const interim = onInterimSignal(() => {
    if (!progress) return;
    live?.clear();
    printError(pingCommand.name, interimLine(progress.summary()));
  });
  const refreshing = live && setInterval(() => progress && live.refresh(progress.summary), REDRAW.least);
  let result: PingResult;
  try {
    result = connect ? await connectPing(endpoint, run) : await ping(endpoint, run);
  } finally {
    interim[Symbol.dispose]();
    clearInterval(refreshing);
    live?.clear();
  }

  const { summary, engine, failure } = result;
  if (failure) printError(pingCommand.name, failure);
  if (json) printLine(JSON.stringify({ ...summary, engine, ...(failure && { finding: failure.message }) }));
  else {
    if (!live) printLine("");
    summaryLines(place, summary, connect ? undefined : options.size).forEach(printLine);
    if (latencies) histogramLines(latencies, Math.min(terminalColumns(), LARGEST_WIDTH)).forEach(printLine);
  }
  // Where nothing is told apart yet, nobody knows whether all is well.
  if (!failure && summary.sent === 0 && summary.unrelated === 0) {
    const wait = formatDuration(options.wait);
    throw new MeariError(`ended before there was a result: no answer came, and each is waited for ${wait} (-W)`);
  }
  if (damaged && summary.corrupted === 0) {
    printError(pingCommand.name, "a probe that was received had a corrupted answer as well");
  }
  const lossPercent = summary.sent === 0 ? 0 : 100 * summary.lost / summary.sent;
  const slow = options["fail-above"] !== undefined && (summary.rtt_us?.max ?? 0) > options["fail-above"] * 1000;
  if (slow) printError(pingCommand.name, `an answer took longer than ${formatDuration(options["fail-above"]!)}`);
  if (failure) return failure.exitCode;
  const failed = slow || damaged || summary.unrelated > 0 || lossPercent > options["fail-loss"];
  return failed ? ExitCode.mismatch : ExitCode.ok;
}

function whatGoesOut(options: PingCommandLine): string {
  const unit = options.connect ? "a new connection" : formatSize(options.size);
  if (options.flood) return `${unit}, flooding`;
  return options.interval === 0
    ? `${unit} as fast as answers come`
    : `${unit} every ${formatDuration(options.interval)}`;
}

async function runSweep(options: PingCommandLine, range: SweepRange, signal: AbortSignal): Promise<number> {
  const { endpoint, json, count, wait, timeout } = options;
  const place = escapeControls(formatEndpoint(endpoint));
  if (!json) printLine(`PING ${place}: datagrams of ${range.min} to ${plural(range.max, "byte")}`);
  const result = await sweep(endpoint, range, {
    ...(count !== undefined && { count }),
    wait,
    timeout,
    onRow: (row) => json || printLine(rowLine(row)),
    signal,
  });
  if (json) printLine(JSON.stringify(result));
  else ["", ...sweepLines(result)].forEach(printLine);
  const damaged = result.sweep.some(({ corrupted }) => corrupted !== undefined);
  return result.largest_bytes === null || damaged ? ExitCode.mismatch : ExitCode.ok;
}

function writeText(text: string): void {
  writeOutputSync(new TextEncoder().encode(text));
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
