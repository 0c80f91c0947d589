/**
 * A program's command line as a table: the parser and the help text both come from it, so they cannot drift apart.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { closestString } from "@std/text/closest-string";
import { MeariError, UsageError } from "../errors.ts";

/** An option of a program. `T` is the type of its value. */
export interface Option<T> {
  /** The heading under which the help shows it. */
  group: string;
  /** One letter for `-x`. */
  short?: string;
  /** What the help calls its value; a switch has none. */
  value?: string;
  /** What it does, for the help. */
  help: string;
  /** Reads what the user wrote; throws a {@linkcode UsageError}. */
  parse: (text: string) => T;
  /** Whether it may be given more than once; each adds to a list. */
  repeatable?: boolean;
  /** The value where it is not given; its type is that of the option's value. */
  fallback: unknown;
  /** The default as the help shows it. */
  shownDefault?: string;
}

/** The options of a program by their long names. */
// deno-lint-ignore no-explicit-any
export type Options = Record<string, Option<any>>;

/** What {@linkcode parseCommandLine} returns for a table of options. */
export type Values<O extends Options> = { [Name in keyof O]: O[Name]["fallback"] };

/** A program, or one of its modes. */
export interface Command<O extends Options = Options> {
  /** What the user types to run it. */
  name: string;
  /** What it is for, in one or two sentences. */
  summary: string;
  /** How it is called: one line each, without the name. */
  usage: readonly string[];
  /** Its options, in the order in which the help shows them. */
  options: O;
  /** Example calls and what each does. */
  examples: readonly (readonly [call: string, what: string])[];
  /** Further paragraphs for the help: a heading and its lines. */
  notes?: readonly (readonly [heading: string, lines: readonly string[]])[];
}

/**
 * Makes a switch: an option without a value.
 *
 * @param about How it is shown.
 * @returns The option; its value is `true` where it was given.
 */
export function flag(about: { group: string; short?: string; help: string }): Option<boolean> & { fallback: boolean } {
  return { ...about, parse: () => true, fallback: false };
}

/** How an option with a value is shown and read. */
export interface ValueAbout<T> {
  group: string;
  short?: string;
  value: string;
  help: string;
  parse: (text: string) => T;
}

/**
 * Makes an option with a value and a default.
 *
 * @param about How it is shown and read.
 * @param shownDefault The default, written as the user would write it.
 * @returns The option.
 */
export function setting<T>(about: ValueAbout<T>, shownDefault: string): Option<T> & { fallback: T } {
  return { ...about, fallback: about.parse(shownDefault), shownDefault };
}

/**
 * Makes an option with a value that may be left out.
 *
 * @param about How it is shown and read.
 * @returns The option; its value is `undefined` where it was not given.
 */
export function optional<T>(about: ValueAbout<T>): Option<T> & { fallback: T | undefined } {
  return { ...about, fallback: undefined };
}

/**
 * Makes an option that may be given several times.
 *
 * @param about How it is shown and read.
 * @returns The option; its value is the list of what was given, in order.
 */
export function repeated<T>(about: ValueAbout<T>): Option<T> & { fallback: T[] } {
  return { ...about, repeatable: true, fallback: [] };
}

/**
 * Makes a parser that takes one of a few words.
 *
 * @param words The words.
 * @returns The parser; it throws a {@linkcode UsageError} that names the words.
 */
export function oneOf<W extends string>(...words: W[]): (text: string) => W {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new UsageError(`"${text}" is none of ${words.join(", ")}`);
    return found;
  };
}

/** The two options that every program has. */
export const commonOptions = {
  help: flag({ group: "Other", short: "h", help: "show this help and exit" }),
  version: flag({ group: "Other", help: "show the version, Deno's and the target, and exit" }),
} satisfies Options;

/**
 * Reads a command line.
 *
 * @param command The program.
 * @param args What the user typed after its name.
 * @returns The value of each option, and the operands in order.
 * @throws {UsageError} If an option is unknown, lacks its value, or has one that cannot be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const command = {
 *   name: "demo", summary: "A demo.", usage: [""], examples: [],
 *   options: { loud: flag({ group: "Other", short: "l", help: "be loud" }) },
 * };
 * assertEquals(parseCommandLine(command, ["-l", "tcp://:7"]), { values: { loud: true }, operands: ["tcp://:7"] });
 * ```
 */
export function parseCommandLine<O extends Options>(
  command: Command<O>,
  args: readonly string[],
): { values: Values<O>; operands: string[] } {
  const { options } = command;
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [name, {
        type: option.value === undefined ? "boolean" as const : "string" as const,
        ...(option.short === undefined ? {} : { short: option.short }),
      }]),
    ),
  });
  const values: Record<string, unknown> = {};
  for (const [name, { fallback }] of Object.entries(options)) {
    values[name] = Array.isArray(fallback) ? [...fallback] : fallback;
  }
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name]! : undefined;
    if (option === undefined) throw unknown(command, token.rawName);
    if (option.value === undefined && token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value`);
    }
    if (option.value !== undefined && token.value === undefined) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`);
    }
    const value = prefixed(token.rawName, () => option.parse(token.value ?? ""));
    if (option.repeatable) (values[token.name] as unknown[]).push(value);
    else values[token.name] = value;
  }
  return { values: values as Values<O>, operands };
}

/** Runs a parser and says in front of its complaint which option it was. */
function prefixed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MeariError) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}

function unknown(command: Command, given: string): UsageError {
  const names = Object.keys(command.options).map((name) => `--${name}`);
  const near = given.startsWith("--") ? closestString(given, names) : undefined;
  const hint = near ? `did you mean ${near}? ` : "";
  return new UsageError(`unknown option ${given}; ${hint}${command.name} --help lists them all`);
}

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
  lines.push("", "Exit codes:");
  lines.push(
    "  0  all well",
    "  1  it could not run or go on: refused, unreachable, address in use, timeout",
    "  2  it was called wrongly",
    "  3  it ran, but what came back was not what went out: loss or mismatch",
  );
  lines.push("", "Examples:");
  for (const [call, what] of command.examples) lines.push(`  ${call}`, `      ${what}`);
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
  const head = left.length > OPTION_WIDTH ? [left, indent + first] : [left.padEnd(OPTION_WIDTH + 2) + first];
  return [...head, ...rest.map((line) => indent + line)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
