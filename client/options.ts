/**
 * The command line of meari, the client.
 *
 * @module
 */

import {
  type Command,
  commonOptions,
  flag,
  oneOf,
  optional,
  type Options,
  parseCommandLine,
  repeated,
  setting,
  type Values,
} from "../lib/cli/command_line.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../lib/endpoint.ts";
import { UsageError } from "../lib/errors.ts";
import { isDatagram } from "../lib/transport/mod.ts";
import { LANGUAGES } from "../lib/cli/messages.ts";
import { parseCount, parseDuration } from "../lib/units.ts";

const EOL = { none: "", lf: "\n", crlf: "\r\n" } as const;

const options = {
  udp: flag({ group: "Where", short: "u", help: "UDP for an endpoint without a transport" }),
  message: repeated({
    group: "Mode",
    short: "m",
    value: "TEXT",
    help: "one shot: send TEXT, print its echo, and exit",
    parse: String,
  }),
  raw: flag({
    group: "Mode",
    help: "copy stdin to the socket and the socket to stdout, any bytes, both at once (streams only)",
  }),
  verify: flag({ group: "Mode", help: "with --raw: compare every byte, not just their number" }),
  eol: setting({
    group: "Conversation",
    value: "EOL",
    help: "line end added to each message: none, lf or crlf",
    parse: oneOf(...Object.keys(EOL) as (keyof typeof EOL)[]),
  }, "none"),
  "no-quit": flag({ group: "Conversation", help: "take quit as plain data: it ends nothing" }),
  timeout: setting({
    group: "Conversation",
    value: "TIME",
    help: "bounds connecting and each wait for an echo",
    parse: parseTimeout,
  }, "5s"),
  retries: setting({
    group: "Conversation",
    value: "N",
    help: "send a datagram that was not answered up to N times more",
    parse: parseCount,
  }, "0"),
  lang: optional({
    group: "Other",
    value: "LANG",
    help: "language of the conversation, en or ko; otherwise as the locale says",
    parse: oneOf(...LANGUAGES),
  }),
  ...commonOptions,
} satisfies Options;

/** The command line of meari. */
export const clientCommand: Command<typeof options> = {
  name: "meari",
  summary: "An echo client over TCP, UDP and Unix sockets: sends messages and checks that they come back.",
  usage: [
    "[ENDPOINT] [options]              chat in a terminal, or send the lines of stdin",
    "[ENDPOINT] -m TEXT                send one message",
    "[ENDPOINT] --raw                  copy any bytes both ways",
    "ping [ENDPOINT] [options]         measure round trips, jitter and loss (meari ping --help)",
    "bench ENDPOINT [ENDPOINT]         measure throughput and latency under load (meari bench --help)",
    "report FILE… --html OUT           draw what bench recorded (meari report --help)",
  ],
  options,
  notes: [["Endpoint (default: tcp://127.0.0.1:65456)", [
    "tcp://HOST:PORT, udp://HOST:PORT  IPv6 in brackets",
    "unix:///PATH, unixgram:///PATH    Unix sockets, of streams and of datagrams",
    "HOST:PORT, HOST, :PORT            TCP, or UDP with -u",
  ]], ["Lines from a pipe", [
    "Each line is one message, sent without its line end; its echo is printed as one line. It stops at quit,",
    "at the end of input, and at the first echo that is missing or wrong, which it names (exit code 3).",
  ]]],
  examples: [
    ["meari", "chat with the server on this machine; quit ends"],
    ["printf '%s\\n' one two | meari -u example.com:7", "send two datagrams, print what comes back"],
    ["meari --raw --verify example.com:7 < photo.jpg > copy.jpg", "send a file through a server and compare"],
  ],
};

/** What the user asked of meari. */
export interface ClientCommandLine extends Omit<Values<typeof options>, "eol"> {
  /** Whom to talk to. */
  endpoint: Endpoint;
  /** What to add to each message. */
  eol: Uint8Array;
}

/**
 * Reads the command line of meari.
 *
 * @param args What the user typed after its name.
 * @returns The values of the options, and whom to talk to.
 * @throws {UsageError} If it was called wrongly.
 */
export function parseClientArgs(args: readonly string[]): ClientCommandLine {
  const { values, operands } = parseCommandLine(clientCommand, args);
  const [text = "tcp://", ...more] = operands;
  if (more.length > 0) {
    throw new UsageError(
      `one endpoint, please: "${more[0]}" is one too many; -m "${more[0]}" would send it as a message`,
    );
  }
  const endpoint = parseClientEndpoint(operands.length > 0 ? text : values.udp ? "udp://" : "tcp://", values.udp);
  const datagrams = isDatagram(endpoint);
  if (values.verify && !values.raw) throw new UsageError("--verify goes with --raw; the other modes compare anyway");
  if (values.raw && datagrams) {
    throw new UsageError(
      `--raw copies a stream, and ${formatEndpoint(endpoint)} carries datagrams; pipe lines into meari, or use -m`,
    );
  }
  if (values.raw && (values.message.length > 0 || values.eol !== "none")) {
    throw new UsageError("--raw takes its bytes from stdin as they are; it goes with neither --message nor --eol");
  }
  if (values.raw && values["no-quit"]) {
    throw new UsageError("--raw takes every byte as plain data anyway, without --no-quit");
  }
  if (values.retries > 0 && !datagrams) {
    throw new UsageError(`--retries is for datagrams; over ${endpoint.transport} nothing is lost on the way`);
  }
  return { ...values, endpoint, eol: new TextEncoder().encode(EOL[values.eol]) };
}

/**
 * Reads the endpoint of a client: one that can be sent to.
 *
 * @param text What the user wrote.
 * @param udp Whether the user asked for UDP.
 * @returns The endpoint.
 * @throws {UsageError} If it is none, or one that nobody can listen on.
 */
export function parseClientEndpoint(text: string, udp: boolean): Endpoint {
  const endpoint = parseEndpoint(text, { transport: udp ? "udp" : "tcp" });
  if (udp && endpoint.transport !== "udp") throw new UsageError(`--udp contradicts ${formatEndpoint(endpoint)}`);
  if ("port" in endpoint && endpoint.port === 0) {
    throw new UsageError(`nobody can be reached at port 0 of ${endpoint.host}; it only lets a server choose a port`);
  }
  return endpoint;
}

/**
 * Reads a time that something may take.
 *
 * @param text What the user wrote.
 * @returns The time in milliseconds.
 * @throws {UsageError} If it is no time, or one that no timer can measure.
 */
export function parseTimeout(text: string): number {
  const timeout = parseDuration(text);
  if (timeout < 1 || timeout > 2 ** 31 - 1) throw new UsageError(`"${text}" is out of range; from 1ms to 24 days`);
  return timeout;
}
