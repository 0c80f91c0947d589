/**
 * The command line of `deno task benchmark`.
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
import { UsageError } from "../../lib/errors.ts";
import { parseCount, parseDuration } from "../../lib/units.ts";
import { type LoadName, LOADS } from "./loads.ts";
import { type PeerName, PEERS } from "./servers.ts";

const loadNames = Object.keys(LOADS) as LoadName[];
const peerNames = Object.keys(PEERS) as PeerName[];

const options = {
  only: setting(
    { group: "What", value: "LOAD,…", help: "measure these loads alone", parse: listOf(loadNames) },
    loadNames.join(","),
  ),
  peers: setting(
    { group: "What", value: "NAME,…", help: "measure these peers, where they are installed", parse: listOf(peerNames) },
    peerNames.join(","),
  ),
  rounds: setting({
    group: "What",
    value: "N",
    help: "how often to measure each load on each server; what counts is the median",
    parse: (text) => {
      const rounds = parseCount(text);
      if (rounds < 1 || rounds > 1000) throw new UsageError(`"${text}" is out of range; from 1 to 1000`);
      return rounds;
    },
  }, "3"),
  duration: setting({
    group: "What",
    short: "d",
    value: "TIME",
    help: "how long to measure each time; twice as long with 1,000 connections and more",
    parse: (text) => {
      const duration = parseDuration(text);
      if (duration < 50 || duration > 60_000) throw new UsageError(`"${text}" is out of range; from 50ms to 60s`);
      return duration;
    },
  }, "300ms"),
  json: flag({ group: "Output", help: "print one JSON object in place of tables" }),
  html: optional({
    group: "Output",
    value: "FILE",
    help: "write a page with tables and curves, too",
    parse: (text) => {
      if (text === "" || text === "-") throw new UsageError("name a file; the result goes to stdout");
      return text;
    },
  }),
  ...commonOptions,
} satisfies Options;

/** What `deno task benchmark` was asked to do. */
export type BenchmarkOptions = Values<typeof options>;

/** The command line of `deno task benchmark`. */
export const benchmarkCommand: Command<typeof options> = {
  name: "deno task benchmark",
  summary: "Measures the compiled meari-server beside echo servers of other makes, in turn and in one run.",
  usage: ["[options]"],
  options,
  notes: [
    ["Loads", Object.entries(LOADS).map(([name, what]) => `${name.padEnd(13)}${what}`)],
    ["Peers", [
      "c, go, node and python echo TCP and UDP; scripts/peers/ has them. socat and ncat make a process of each",
      "connection: they are measured with ten at most, and 4 KiB in flight.",
    ]],
  ],
  docs: "docs/speed.md",
  examples: [
    ["deno task benchmark --only small,fair --peers c,go", "a short look"],
    ["deno task benchmark --html benchmark.html", "all of it, with curves"],
  ],
};

/**
 * Reads the arguments of `deno task benchmark`.
 *
 * @param args The arguments.
 * @returns What they ask for.
 * @throws {UsageError} If they are wrong.
 */
export function parseBenchmarkArgs(args: readonly string[]): BenchmarkOptions {
  const { values, operands } = parseCommandLine(benchmarkCommand, args);
  if (operands.length > 0) throw new UsageError(`"${operands[0]}" is no option`);
  return values;
}

/** Reads names with commas between them. */
function listOf<N extends string>(names: readonly N[]): (text: string) => N[] {
  return (text) => {
    const words = text.split(",");
    const unknown = words.find((word) => !names.some((name) => name === word));
    if (unknown !== undefined) throw new UsageError(`"${unknown}" is none of ${names.join(", ")}`);
    return names.filter((name) => words.includes(name));
  };
}
