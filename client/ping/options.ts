/**
 * The command line of `meari ping`.
 *
 * @module
 */

import {
  type Command,
  commonOptions,
  flag,
  optional,
  type Options,
  parseCommandLine,
  setting,
  type Values,
} from "../../lib/cli/command_line.ts";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { isDatagram, largestMessage } from "../../lib/transport/mod.ts";
import { UsageError } from "../../lib/errors.ts";
import { parseCount, parseDuration, parseSize } from "../../lib/units.ts";
import { parseClientEndpoint, parseTimeout, udpOption } from "../options.ts";
import { HEADER_BYTES } from "./probe.ts";
import type { SweepRange } from "./sweep.ts";

/** The most bytes of a probe on a stream, which has no limit of its own; two are held at once. */
const LARGEST_STREAM_PROBE = 16 * 1024 * 1024;

const options = {
  udp: udpOption,
  interval: setting({
    group: "When",
    short: "i",
    value: "TIME",
    help: "from one probe to the next, kept whether or not answers come; 0 for as fast as they come",
    parse: parseDuration,
  }, "1s"),
  flood: flag({
    group: "When",
    short: "f",
    help: "as fast as answers come, and at least 100 a second; no line for each",
  }),
  count: optional({ group: "When", short: "c", value: "N", help: "stop after N probes", parse: parsePositive }),
  deadline: optional({ group: "When", short: "w", value: "TIME", help: "stop after TIME in all", parse: parseTimeout }),
  wait: setting({
    group: "When",
    short: "W",
    value: "TIME",
    help: "how long to wait for an answer; one that comes after that is late",
    parse: parseTimeout,
  }, "2s"),
  timeout: setting({ group: "When", value: "TIME", help: "bounds connecting", parse: parseTimeout }, "5s"),
  size: setting({
    group: "What",
    short: "s",
    value: "SIZE",
    help: `bytes of a probe; under ${HEADER_BYTES} it carries no sequence number`,
    parse: parseSize,
  }, "64"),
  connect: flag({ group: "What", help: "measure connecting instead, with a new connection each time" }),
  sweep: optional({
    group: "What",
    value: "MIN:MAX[:STEP]",
    help: "find the largest datagram that comes back, and the sizes at which loss starts",
    parse: parseSweep,
  }),
  live: flag({ group: "Output", help: "keep one line with a sparkline up to date instead of scrolling" }),
  histogram: flag({ group: "Output", help: "draw the distribution of the round-trip times at the end" }),
  json: flag({ group: "Output", help: "print one JSON object at the end" }),
  samples: flag({ group: "Output", help: "with --json: print one JSON object an answer, too" }),
  "fail-above": optional({
    group: "Check",
    value: "TIME",
    help: "exit with 3 if an answer took longer",
    parse: parseDuration,
  }),
  "fail-loss": setting({
    group: "Check",
    value: "PERCENT",
    help: "exit with 3 if more than that was lost",
    parse: parsePercent,
  }, "0%"),
  ...commonOptions,
} satisfies Options;

/** The command line of `meari ping`. */
export const pingCommand: Command<typeof options> = {
  name: "meari ping",
  summary:
    "Measures what a path does to messages: round-trip time, jitter, loss, late, duplicate, reordered and corrupted\n" +
    "answers. The server is any that echoes (RFC 862).",
  usage: ["[ENDPOINT] [options]"],
  options,
  notes: [["While it runs", [
    "Ctrl+C ends it with the summary; Ctrl+\\ (SIGQUIT, or SIGINFO where there is one) prints a line so far.",
  ]]],
  docs: "docs/ping.md",
  examples: [
    ["meari ping -u example.com:7", "one datagram a second until Ctrl+C"],
    ["meari ping -c 100 -i 20ms --fail-above 50ms --fail-loss 1% udp://example.com:7", "a check for a script"],
    ["meari ping --sweep 1:65507 udp://example.com:7", "how large may a datagram be?"],
  ],
};

/** What the user asked of `meari ping`. */
export interface PingCommandLine extends Values<typeof options> {
  /** Whom to ping. */
  endpoint: Endpoint;
}

/**
 * Reads the command line of `meari ping`.
 *
 * @param args What the user typed after it.
 * @returns The values of the options, and whom to ping.
 * @throws {UsageError} If it was called wrongly.
 */
export function parsePingArgs(args: readonly string[]): PingCommandLine {
  const { values, operands } = parseCommandLine(pingCommand, args);
  if (operands.length > 1) throw new UsageError(`one endpoint, please: "${operands[1]}" is one too many`);
  const endpoint = parseClientEndpoint(operands[0] ?? (values.udp ? "udp://" : "tcp://"), values.udp);
  const place = formatEndpoint(endpoint);
  const datagrams = isDatagram(endpoint);
  const refuse = (why: string): never => {
    throw new UsageError(why);
  };
  if (values.connect && datagrams) refuse(`--connect is for connections; ${place} has none`);
  if (values.connect && values.sweep) refuse("--connect and --sweep do not go together");
  if (values.sweep && !datagrams) refuse(`--sweep is for datagrams; ${place} carries none`);
  if (values.sweep && (values.live || values.samples || values.histogram)) {
    refuse("--sweep prints a line for each size; it goes with none of --live, --samples and --histogram");
  }
  if (values.samples && !values.json) refuse("--samples goes with --json");
  if (values.live && values.json) refuse("--live is for people; it does not go with --json");
  if (values.live && !Deno.stdout.isTerminal()) refuse("--live needs a terminal to draw on");
  if (values.flood && values.interval !== pingCommand.options.interval.fallback) {
    refuse("--flood has its own interval; it does not go with --interval");
  }
  if (values.interval > 0 && values.interval < 0.01) {
    refuse("--interval: from 10us on, or 0 for as fast as answers come");
  }
  const most = largestMessage(endpoint);
  if (values.sweep && values.sweep.max > most) refuse(`--sweep: a datagram to ${place} has at most ${most} bytes`);
  const largest = Math.min(most, LARGEST_STREAM_PROBE);
  if (values.size > largest) refuse(`--size: at most ${largest} bytes over ${endpoint.transport}`);
  return { ...values, endpoint };
}

function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new UsageError(`"${text}" is too few`);
  return count;
}

function parsePercent(text: string): number {
  const percent = /^\d+(\.\d+)?%?$/.test(text) ? parseFloat(text) : NaN;
  if (!(percent <= 100)) throw new UsageError(`"${text}" is not a percentage; write it like 1% or 0.5%`);
  return percent;
}

function parseSweep(text: string): SweepRange {
  const [min, max, step, ...more] = text.split(":");
  if (min === undefined || max === undefined || more.length > 0) {
    throw new UsageError(`"${text}" is not a range of sizes; write it like 1:65507 or 1000:2000:10`);
  }
  const range = { min: parseSize(min), max: parseSize(max), step: step === undefined ? undefined : parseSize(step) };
  if (range.min > range.max) throw new UsageError(`"${text}": the smaller size comes first`);
  if (range.step === 0) throw new UsageError(`"${text}": the step must be at least 1`);
  return range;
}
