/**
 * The help of a program, from the table of its options.
 *
 * @module
 */

import { type EndpointOptions, listOptions, type Side, type Transport, transports } from "../transport/mod.ts";
import type { Command, Option } from "./command_line.ts";
import { padEnd, textWidth } from "./text_width.ts";

const HELP_WIDTH = 100;
const OPTION_WIDTH = 24;

/**
 * Writes the help of a program.
 *
 * @param command The program.
 * @returns The text, without a final line end.
 */
export function formatHelp(command: Command): string {
  const lines = [command.summary, "", "Usage:"];
  for (const usage of command.usage) lines.push(`  ${command.name} ${usage}`.trimEnd());
  const groups = new Set(Object.values(command.options).map((option) => option.group));
  for (const group of groups) {
    lines.push("", `${group}:`);
    for (const [name, option] of Object.entries(command.options)) {
      if (option.group === group) lines.push(...describeOption(name, option));
    }
  }
  for (const [heading, note] of command.notes ?? []) lines.push("", `${heading}:`, ...note.map((line) => `  ${line}`));
  lines.push(
    "",
    "Exit codes:",
    "  0  all well",
    "  1  it could not run or go on: refused, unreachable, address in use, timeout",
    "  2  it was called wrongly",
    "  3  it ran, but what came back was not what went out: loss or mismatch",
  );
  lines.push("", "Examples:");
  for (const [call, what] of command.examples) lines.push(`  ${call}`, `      ${what}`);
  if (command.docs !== undefined) lines.push("", `Manual: ${command.docs} in the archive and the repository`);
  return lines.join("\n");
}

function describeOption(name: string, option: Option<unknown>): string[] {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const left = `  ${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`;
  const notes = [option.shownDefault && `default ${option.shownDefault}`, option.repeatable && "may be repeated"]
    .filter(Boolean).join("; ");
  const right = wrap(notes ? `${option.help} (${notes})` : option.help, HELP_WIDTH - OPTION_WIDTH - 2);
  const [first = "", ...rest] = right;
  const indent = " ".repeat(OPTION_WIDTH + 2);
  const head = textWidth(left) > OPTION_WIDTH ? [left, indent + first] : [padEnd(left, OPTION_WIDTH + 2) + first];
  return [...head, ...rest.map((line) => indent + line)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** How the help writes the place of an endpoint. */
const PLACES: Readonly<Record<Transport["form"], string>> = { inet: "HOST:PORT", path: "/PATH" };

/** The column in which the help says what an endpoint, or its option, does. */
const ENDPOINT_WIDTH = 39;

/**
 * Lists the endpoints there are and the options that may stand behind one, for the notes of a command.
 *
 * @param side What the endpoint is for.
 * @param short What it means to leave out the transport.
 * @param options The options that do not belong to a transport.
 * @returns A line each, such as `tcp://HOST:PORT  streams over TCP`.
 */
export function endpointLines(side: Side, short: string, options: EndpointOptions = {}): string[] {
  const line = (written: string, help: string) => written.padEnd(ENDPOINT_WIDTH) + help;
  const common = Object.entries(options).map(([name, option]) => ({ name, option, transports: [] as string[] }));
  return [
    ...[...transports].map(([name, { form, help }]) => line(`${name}://${PLACES[form]}`, help)),
    line("HOST:PORT, HOST, :PORT", short),
    ...[...common, ...listOptions(side)].map(({ name, option, transports }) => {
      const where = transports.length === 0 ? "" : ` (${transports.join(", ")})`;
      return line(`ENDPOINT?${name}${option.value === undefined ? "" : `=${option.value}`}`, option.help + where);
    }),
  ];
}
