/**
 * The command line of `meari bench`.
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
import { UsageError } from "../../lib/errors.ts";
import { isStream, largestMessage } from "../../lib/transport/mod.ts";
import { parseCount, parseDuration, parseSize } from "../../lib/units.ts";
import { parseClientEndpoint, parseTimeout, udpOption } from "../options.ts";
import type { BenchOptions } from "./bench.ts";

/** How long each load of a comparison lasts where nothing is said, in milliseconds. */
const COMPARED_DURATION = 2000;

/** More could not be opened: a port is 16 bits wide. */
const MOST_CONNECTIONS = 65_535;

const options = {
  udp: udpOption,
  connections: setting({
    group: "Load",
    short: "c",
    value: "N",
    help: "connections, or sockets of datagrams",
    parse: within(1, MOST_CONNECTIONS),
  }, "1"),
  size: setting({ group: "Load", short: "s", value: "SIZE", help: "bytes of a message", parse: parseSize }, "64"),
  depth: optional({
    group: "Load",
    value: "N",
    help: "messages in flight on each connection, 1 unless given; an answer brings the next message",
    parse: within(1, 1e6),
  }),
  rate: optional({
    group: "Load",
    value: "N",
    help: "send N messages a second in all, evenly, whether or not answers come; a latency counts from when its " +
      "message was due",
    parse: within(1, 1e8),
  }),
  duration: optional({
    group: "Load",
    short: "d",
    value: "TIME",
    help: "how long to send, 10s unless given, or 2s in a comparison",
    parse: parseTimeout,
  }),
  messages: optional({
    group: "Load",
    short: "n",
    value: "N",
    help: "how many messages to send, in place of a time",
    parse: within(1, Number.MAX_SAFE_INTEGER),
  }),
  warmup: setting({
    group: "Load",
    value: "TIME",
    help: "send for so long before the measurement begins",
    parse: parseDuration,
  }, "0s"),
  threads: setting({
    group: "Load",
    short: "t",
    value: "N",
    help: "threads that share the connections",
    parse: within(1, 256),
  }, "1"),
  rounds: optional({
    group: "Load",
    value: "N",
    help: "with two endpoints: how often to compare them, 5 unless given",
    parse: within(1, 10_000),
  }),
  "no-verify": flag({ group: "Faults", help: "count the bytes that come back, but do not look at them" }),
  reconnect: flag({ group: "Faults", help: "replace connections that fail or break" }),
  timeout: setting({
    group: "Faults",
    value: "TIME",
    help: "bounds connecting, how long a connection may owe answers and send none, and the wait for answers at the end",
    parse: parseTimeout,
  }, "5s"),
  wait: setting({
    group: "Faults",
    short: "W",
    value: "TIME",
    help: "a datagram that was not answered for so long is lost",
    parse: parseTimeout,
  }, "1s"),
  json: flag({ group: "Output", help: "print one JSON object" }),
  hdr: optional({
    group: "Output",
    value: "FILE",
    help: "write the latencies of each second as an HdrHistogram log",
    parse: parseFile,
  }),
  html: optional({ group: "Output", value: "FILE", help: "write the report as a page to look at", parse: parseFile }),
  ...commonOptions,
} satisfies Options;

/** The command line of `meari bench`. */
export const benchCommand: Command<typeof options> = {
  name: "meari bench",
  summary:
    "Puts an echo server under load and measures how much it takes and how long it takes; every byte that comes back\n" +
    "is checked. With two endpoints it compares them.",
  usage: ["[ENDPOINT] [options]", "ENDPOINT ENDPOINT [options]"],
  options,
  notes: [["While it runs", [
    "Ctrl+C ends it with what was measured so far. A server that sends other bytes, more or fewer than it got, or",
    "none for the time of --timeout is named in the result (exit code 3). A message that is still on its way at the",
    "end, because it is long, counts as unfinished.",
  ]]],
  docs: "docs/bench.md",
  examples: [
    ["meari bench -c 64", "64 connections for ten seconds, each with one message of 64 bytes in flight"],
    ["meari bench -c 8 -s 64KiB --depth 4 -t 2 example.com:7", "as many bytes as two threads can move"],
    ["meari bench --rate 20k -d 1m --hdr run.hlog udp://example.com:7", "a steady load, for meari report"],
    ["meari bench -c 16 --rounds 9 :7001 :7002", "which of two servers is faster?"],
  ],
};

/** What the user asked of `meari bench`. */
export interface BenchCommandLine extends Pick<Values<typeof options>, "help" | "version" | "json" | "hdr" | "html"> {
  /** Whom to put under load: one, or two to compare. */
  endpoints: Endpoint[];
  /** The load. */
  load: BenchOptions;
  /** How often to compare. */
  rounds: number;
}

/**
 * Reads the command line of `meari bench`.
 *
 * @param args What the user typed after it.
 * @returns The values of the options, and whom to put under load.
 * @throws {UsageError} If it was called wrongly.
 */
export function parseBenchArgs(args: readonly string[]): BenchCommandLine {
  const { values, operands } = parseCommandLine(benchCommand, args);
  if (operands.length > 2) throw new UsageError(`two endpoints at the most, please: "${operands[2]}" is one too many`);
  const texts = operands.length > 0 ? operands : [values.udp ? "udp://" : "tcp://"];
  const endpoints = texts.map((text) => parseClientEndpoint(text, values.udp));
  for (const endpoint of endpoints) checkSize(endpoint, values.size);
  const refuse = (why: string): never => {
    throw new UsageError(why);
  };
  if (values.duration !== undefined && values.messages !== undefined) {
    refuse("--duration and --messages do not go together");
  }
  if (values.rate !== undefined && values.depth !== undefined) {
    refuse("--depth is for a load without --rate, which sends on schedule however many messages are in flight");
  }
  if (values.rounds !== undefined && endpoints.length === 1) refuse("--rounds goes with two endpoints");
  if (values.threads > values.connections) {
    refuse(`--threads ${values.threads} needs as many connections at least; -c says how many`);
  }
  if (values.warmup > 2 ** 31 - 1) refuse("--warmup: at most 24 days");
  const { help, version, json, hdr, html, rounds, udp: _, "no-verify": noVerify, ...load } = values;
  const duration = load.duration ?? (endpoints.length > 1 ? COMPARED_DURATION : undefined);
  return {
    help,
    version,
    json,
    hdr,
    html,
    endpoints,
    rounds: rounds ?? 5,
    load: { ...load, duration, verify: !noVerify },
  };
}

function checkSize(endpoint: Endpoint, size: number): void {
  const place = formatEndpoint(endpoint);
  if (size === 0 && isStream(endpoint)) {
    throw new UsageError(`--size 0: ${place} is a stream, which carries no empty messages`);
  }
  const largest = largestMessage(endpoint);
  if (size > largest) throw new UsageError(`--size: a message to ${place} has at most ${largest} bytes`);
}

function parseFile(text: string): string {
  if (text === "" || text === "-") throw new UsageError("name a file; the result goes to stdout");
  return text;
}

function within(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = parseCount(text);
    if (count < least || count > most) throw new UsageError(`"${text}" is out of range; from ${least} to ${most}`);
    return count;
  };
}
