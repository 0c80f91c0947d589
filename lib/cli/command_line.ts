/**
 * A program's command line as a table: the parser below and the help (`help.ts`) both come from it, so they cannot drift
 * apart.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
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
  /** The page of the manual that says more, such as `docs/ping.md`. */
  docs?: string;
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
  const entries = Object.entries(command.options);
  const valued = entries.filter(([, option]) => option.value !== undefined).map(([name]) => name);
  const { words, written } = spellOut(command, args);
  const { _: operands, ...given } = parseArgs(words, {
    boolean: entries.filter(([, option]) => option.value === undefined).map(([name]) => name),
    string: valued,
    // Every value is kept and read, so that one that is wrong is told even where a later one overrides it.
    collect: valued,
    unknown: (word) => {
      throw unknownOption(command, word);
    },
  });
  const values: Record<string, unknown> = {};
  for (const [name, option] of entries) {
    if (option.value === undefined) {
      values[name] = given[name];
      continue;
    }
    const read = (given[name] as string[]).map((text) => prefixed(written.get(name)!, () => option.parse(text)));
    values[name] = option.repeatable ? read : read.length > 0 ? read.at(-1) : option.fallback;
  }
  return { values: values as Values<O>, operands: operands as string[] };
}

/**
 * Writes a command line so that parse-args can take it in one way only: each option as `--name` or `--name=value`, the
 * operands behind `--`. Left to itself it makes six options of `-s64KiB`, takes `-lp9` for an `l` of `p9`, the word
 * `true` behind a switch for its value, an operand `7` for a number and `--no-color=never` for `--color`, and it leaves
 * an option without its value where that is empty, starts with a dash or is `--`.
 *
 * @returns The words, and for each option how the user wrote it.
 */
function spellOut(command: Command, args: readonly string[]): { words: string[]; written: Map<string, string> } {
  const { options } = command;
  const letters = new Map(Object.entries(options).map(([name, { short }]) => [short, name]));
  const [rest, words, operands] = [[...args], [] as string[], [] as string[]];
  const written = new Map<string, string>();

  const spell = (name: string, as: string, joined: string | undefined) => {
    written.set(name, as);
    const { value } = options[name]!;
    if (value === undefined) {
      if (joined !== undefined) throw new UsageError(`${as} takes no value`);
      words.push(`--${name}`);
      return;
    }
    const text = joined ?? rest.shift();
    if (text === undefined) throw new UsageError(`${as} needs a value: ${as} ${value}`);
    words.push(`--${name}=${text}`);
  };

  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      operands.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      if (Object.hasOwn(options, name)) spell(name, `--${name}`, value);
      else words.push(word);
    } else if (word.startsWith("-") && word !== "-") {
      for (let at = 1; at < word.length;) {
        const letter = String.fromCodePoint(word.codePointAt(at)!);
        at += letter.length;
        const name = letters.get(letter);
        if (name === undefined) throw unknownOption(command, `-${letter}`);
        const takesRest = options[name]!.value !== undefined && at < word.length;
        spell(name, `-${letter}`, takesRest ? word.slice(at) : undefined);
        if (takesRest) break;
      }
    } else operands.push(word);
  }
  return { words: [...words, "--", ...operands], written };
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

function unknownOption(command: Command, word: string): UsageError {
  const [given, name] = /^--([^=]+)/.exec(word) ?? [word];
  const near = name === undefined ? undefined : nearest(name, Object.keys(command.options));
  const hint = near === undefined ? "" : `did you mean --${near}? `;
  return new UsageError(`unknown option ${given}; ${hint}${command.name} --help lists them all`);
}

/** The name that was probably meant: one that begins so, or one with two slips of the hand at the most. */
function nearest(given: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => [name.startsWith(given) ? 0 : levenshteinDistance(given, name), name] as const);
  const [distance, name] = distances.reduce((best, next) => next[0] < best[0] ? next : best);
  // Two slips in a word of three letters leave nothing of it.
  return distance <= Math.min(2, given.length / 2) ? name : undefined;
}
