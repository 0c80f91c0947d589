/**
 * The command line of meari-server.
 *
 * @module
 */

import { endpointLines } from "../lib/cli/help.ts";
import {
  type Command,
  commonOptions,
  flag,
  oneOf,
  optional,
  type Options,
  parseCommandLine,
  setting,
  type Values,
} from "../lib/cli/command_line.ts";
import { DEFAULT_HOST, DEFAULT_PORT, type Endpoint, parseEndpoint, parsePort } from "../lib/endpoint.ts";
import { UsageError } from "../lib/errors.ts";
import { LANGUAGES } from "../lib/cli/messages.ts";
import { parseCount, parseDuration } from "../lib/units.ts";
import { serviceOptions } from "./services/table.ts";

/** Each takes some 20 MB, and 60 ms at the start. */
const MOST_WORKERS = 128;

const options = {
  host: setting(
    { group: "Where", value: "HOST", help: "host of the default pair, and of endpoints without one", parse: String },
    DEFAULT_HOST,
  ),
  port: setting({
    group: "Where",
    short: "p",
    value: "PORT",
    help: "port of the default pair, and of endpoints without one; 0 lets the kernel choose",
    parse: parsePort,
  }, String(DEFAULT_PORT)),
  engine: setting({
    group: "Where",
    value: "ENGINE",
    help: "native for TCP and UDP by Linux's own calls, portable for Deno's; auto takes the first where it can be had",
    parse: oneOf("auto", "native", "portable"),
  }, "auto"),
  workers: setting({
    group: "Where",
    value: "N",
    help: "how many threads of the native engine share TCP and UDP",
    parse: parseWorkers,
  }, "1"),
  "no-quit": flag({ group: "Conversation", help: "take quit as plain data: every byte is echoed, nothing ends" }),
  once: flag({
    group: "Conversation",
    help: "end with the first conversation: one connection, or one datagram",
  }),
  grace: setting({
    group: "Conversation",
    value: "TIME",
    help: "how long stopping may take to echo what is in flight",
    parse: parseDuration,
  }, "5s"),
  quiet: flag({ group: "Output", short: "q", help: "print errors only" }),
  verbose: flag({ group: "Output", short: "v", help: "print every message, with its size and sender" }),
  trace: flag({ group: "Output", help: "print every message, with a hex dump" }),
  log: setting({
    group: "Output",
    value: "FORMAT",
    help: "text, or json for one event a line",
    parse: oneOf("text", "json"),
  }, "text"),
  lang: optional({
    group: "Output",
    value: "LANG",
    help: "language of the messages, en or ko; otherwise as the locale says",
    parse: oneOf(...LANGUAGES),
  }),
  ...commonOptions,
} satisfies Options;

function parseWorkers(text: string): number {
  const workers = parseCount(text);
  if (workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw new UsageError(`"${text}" is no number of workers; it must be between 1 and ${MOST_WORKERS}`);
}

/** The command line of meari-server. */
export const serverCommand: Command<typeof options> = {
  name: "meari-server",
  summary: "An echo server over TCP, UDP and Unix sockets. What you send is what comes back (RFC 862).",
  usage: ["[ENDPOINT…] [options]"],
  options,
  notes: [["Endpoints (default: TCP and UDP on 127.0.0.1:65456)", [
    ...endpointLines("listen", "TCP; IPv6 in brackets, and [::] serves IPv6 and IPv4", serviceOptions),
  ]], ["Signals", [
    "SIGINT (Ctrl+C), SIGTERM, SIGHUP or SIGQUIT stops it once what is in flight is echoed;",
    "a second one ends it at once.",
  ]]],
  docs: "docs/server.md",
  examples: [
    ["meari-server", "echo TCP and UDP on 127.0.0.1:65456"],
    ["meari-server tcp://[::]:7 udp://[::]:7 --no-quit", "a plain RFC 862 echo service on every network"],
    ["meari-server unix:///tmp/meari.sock --log json", "echo on a Unix socket, one JSON event a line"],
  ],
};

/** What the user asked of meari-server. */
export interface ServerCommandLine extends Values<typeof options> {
  /** What to serve, in groups that have one port in common where they ask for any. */
  endpoints: Endpoint[][];
}

/**
 * Reads the command line of meari-server.
 *
 * @param args What the user typed after its name.
 * @returns The values of the options, and what to serve.
 * @throws {UsageError} If it was called wrongly.
 */
export function parseServerArgs(args: readonly string[]): ServerCommandLine {
  const { values, operands } = parseCommandLine(serverCommand, args);
  if (values.quiet && (values.verbose || values.trace)) {
    throw new UsageError("--quiet goes neither with --verbose nor with --trace");
  }
  if (values.log === "json" && values.trace) throw new UsageError("--trace is for people; --log json has no hex dumps");
  if (values.engine === "portable" && values.workers > 1) throw new UsageError("--workers needs the native engine");
  const { host, port } = values;
  const defaults = { host: unbracketed(host), port, options: serviceOptions, side: "listen" } as const;
  const groups = operands.length > 0 ? operands.map((operand) => [operand]) : [["tcp://", "udp://"]];
  return { ...values, endpoints: groups.map((group) => group.map((text) => parseEndpoint(text, defaults))) };
}

/** Takes `[::]` for `::`: people write a host as they write it in an endpoint. */
function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
