/**
 * The command line of a conversation, from its arguments to its exit code: a chat, a script, one shot, or raw bytes.
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
} from "../../lib/cli/command_line.ts";
import { endpointLines } from "../../lib/cli/help.ts";
import { detectLanguage, LANGUAGES } from "../../lib/cli/messages.ts";
import { writeOutput, writeOutputSync } from "../../lib/cli/output.ts";
import { answerCommon, END_SIGNALS, onStopSignal } from "../../lib/cli/program.ts";
import { StatusLine } from "../../lib/cli/status_line.ts";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { ExitCode, UsageError } from "../../lib/errors.ts";
import { connectStream, isDatagram, transportOf } from "../../lib/transport/mod.ts";
import { formatSize, parseCount } from "../../lib/units.ts";
import { parseClientEndpoint, parseTimeout, udpOption } from "../options.ts";
import { connectPeer } from "./connect_peer.ts";
import { readLines } from "./lines.ts";
import { runRaw } from "./raw.ts";
import { runScript } from "./script.ts";

/** How long a transfer takes before its progress is worth a line, in milliseconds. */
const QUIET_START = 1000;

const EOL = { none: "", lf: "\n", crlf: "\r\n" } as const;

const options = {
  udp: udpOption,
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

/** The command line of a conversation. Its help is that of the whole client. */
export const talkCommand: Command<typeof options> = {
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
    ...endpointLines("connect", "TCP, or UDP with -u; IPv6 in brackets"),
  ]], ["Lines from a pipe", [
    "Each line is one message, sent without its line end; its echo is printed as one line. It stops at quit,",
    "at the end of input, and at the first echo that is missing or wrong, which it names (exit code 3).",
  ]], ["A chat", [
    "It ends at quit, Ctrl+D or Ctrl+C. Where stdout is not the terminal, the echoes go there, one a line, and all",
    "else to the terminal. An echo that was missing or wrong is told, and makes the exit code 3.",
  ]]],
  docs: "docs/client.md",
  examples: [
    ["meari", "chat with the server on this machine; quit ends"],
    ["printf '%s\\n' one two | meari -u example.com:7", "send two datagrams, print what comes back"],
    ["meari --raw --verify example.com:7 < photo.jpg > copy.jpg", "send a file through a server and compare"],
  ],
};

/** What the user asked for. */
export interface TalkCommandLine extends Omit<Values<typeof options>, "eol"> {
  /** Whom to talk to. */
  endpoint: Endpoint;
  /** What to add to each message. */
  eol: Uint8Array;
}

/**
 * Reads the command line of a conversation.
 *
 * @param args What the user typed after `meari`.
 * @returns The values of the options, and whom to talk to.
 * @throws {UsageError} If it was called wrongly.
 */
export function parseTalkArgs(args: readonly string[]): TalkCommandLine {
  const { values, operands } = parseCommandLine(talkCommand, args);
  const [text = values.udp ? "udp://" : "tcp://", more] = operands;
  if (more !== undefined) {
    throw new UsageError(`one endpoint, please: "${more}" is one too many; -m "${more}" would send it as a message`);
  }
  const endpoint = parseClientEndpoint(text, values.udp);
  if (values.verify && !values.raw) throw new UsageError("--verify goes with --raw; the other modes compare anyway");
  const { kind } = transportOf(endpoint);
  if (values.raw && kind !== "stream") {
    throw new UsageError(
      `--raw copies a stream, and ${formatEndpoint(endpoint)} carries ${kind}s; pipe lines into meari, or use -m`,
    );
  }
  if (values.raw && (values.message.length > 0 || values.eol !== "none")) {
    throw new UsageError("--raw takes its bytes from stdin as they are; it goes with neither --message nor --eol");
  }
  if (values.raw && values["no-quit"]) {
    throw new UsageError("--raw takes every byte as plain data anyway, without --no-quit");
  }
  if (values.retries > 0 && kind !== "datagram") {
    throw new UsageError(`--retries is for datagrams; over ${endpoint.transport} nothing is lost on the way`);
  }
  return { ...values, endpoint, eol: new TextEncoder().encode(EOL[values.eol]) };
}

/**
 * Runs a conversation.
 *
 * @param args What the user typed after `meari`.
 * @returns The exit code.
 * @throws {MeariError} If it was called wrongly, the server cannot be reached, or an echo is missing or wrong.
 */
export async function runTalkCommand(args: readonly string[]): Promise<number> {
  const options = parseTalkArgs(args);
  if (answerCommon(talkCommand, options)) return ExitCode.ok;
  if (options.raw) return await raw(options);
  const encoder = new TextEncoder();
  const texts = options.message.map((text) => encoder.encode(text));
  if (texts.length > 0) return await script(options, "message", texts);
  // A person chats where there is a terminal to show things, too.
  const isChat = Deno.stdin.isTerminal() && (Deno.stdout.isTerminal() || Deno.stderr.isTerminal());
  return isChat ? await chat(options) : await script(options, "line", readLines(Deno.stdin));
}

async function chat(options: TalkCommandLine): Promise<number> {
  // Line editing is loaded only where somebody types.
  const [{ runChat }, { LineEditor }] = await Promise.all([import("./chat.ts"), import("./line_editor.ts")]);
  const isShown = Deno.stdout.isTerminal();
  return await untilInterrupted(async (signal) => {
    const { mismatch, serverClosed } = await runChat(options.endpoint, new LineEditor(isShown ? "stdout" : "stderr"), {
      ...options,
      signal,
      lang: options.lang ?? detectLanguage((name) => Deno.env.get(name)),
      quit: !options["no-quit"],
      write: isShown ? undefined : writeOutputSync,
    });
    if (mismatch) return ExitCode.mismatch;
    return serverClosed ? ExitCode.failed : ExitCode.ok;
  });
}

async function script(
  options: TalkCommandLine,
  unit: string,
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const { endpoint, eol } = options;
  const run = async (signal?: AbortSignal) => {
    await using peer = await connectPeer(endpoint, { ...options, signal });
    await runScript(peer, lines, { unit, eol, quit: !options["no-quit"], write: writeOutputSync, signal });
    return ExitCode.ok;
  };
  // A client of Unix datagrams has a file to remove. Any other is left to the system to end, so that a loop of the shell
  // around it ends as well.
  return isDatagram(endpoint) && "path" in endpoint ? await untilInterrupted(run) : await run();
}

async function raw(options: TalkCommandLine): Promise<number> {
  const conn = await connectStream(options.endpoint, options);
  // Only where it disturbs neither what is piped nor what is typed.
  const isShown = Deno.stderr.isTerminal() && !Deno.stdout.isTerminal() && !Deno.stdin.isTerminal();
  using line = isShown ? new StatusLine() : undefined;
  const startedAt = performance.now();
  const onProgress = (sent: number, received: number) => {
    const elapsed = performance.now() - startedAt;
    if (elapsed < QUIET_START) return;
    const rate = formatSize(Math.round(received / elapsed * 1000));
    line?.draw(() => [`${formatSize(sent)} sent`, `${formatSize(received)} back`, `${rate}/s`]);
  };
  try {
    await runRaw(conn, Deno.stdin, { ...options, write: writeOutput, onProgress });
  } finally {
    conn.close();
  }
  return ExitCode.ok;
}

/** Runs what a signal that ends the program ends at once. */
async function untilInterrupted(run: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const abort = new AbortController();
  using _signals = onStopSignal(() => abort.abort(), END_SIGNALS);
  try {
    return await run(abort.signal);
  } catch (error) {
    if (abort.signal.aborted) return ExitCode.failed;
    throw error;
  }
}
