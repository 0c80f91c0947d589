/**
 * Times, sizes and counts as people write them: `250ms`, `5s`, `2m`; `64`, `64KiB`, `1MB`, `1GiB`; `20k`.
 *
 * @module
 */

import { UsageError } from "./errors.ts";

const MILLISECONDS = new Map(Object.entries({ us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }));

const BYTES = new Map(Object.entries({
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}));

/** The units in which a size is written. */
const SIZE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

const COUNTS = new Map(Object.entries({ "": 1, k: 1e3, m: 1e6, g: 1e9 }));

/** Splits `12.5kb` into its number and its unit in lower case; `undefined` if it is not of that form. */
function split(text: string): { number: number; unit: string } | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-zµμ]*)$/i.exec(text.trim());
  if (match === null) return undefined;
  // People type the micro sign and the Greek letter alike.
  return { number: Number(match[1]), unit: match[2]!.toLowerCase().replace(/[µμ]/, "u") };
}

/** Multiplies to a whole number; `NaN` if there is none, or no such unit. */
function whole(text: string, units: ReadonlyMap<string, number>): number {
  const parts = split(text);
  const product = (parts?.number ?? NaN) * (units.get(parts?.unit ?? "") ?? NaN);
  const rounded = Math.round(product);
  // 1.001 kB is 1001 bytes, though 1.001 * 1000 is a hair less in binary.
  return Number.isSafeInteger(rounded) && Math.abs(product - rounded) <= Number.EPSILON * product ? rounded : NaN;
}

/**
 * Reads a time.
 *
 * @param text A number and a unit: `us`, `ms`, `s`, `m` or `h`; a bare number is seconds.
 * @returns The time in milliseconds.
 * @throws {UsageError} If the text is not a time.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseDuration("250ms"), 250);
 * assertEquals(parseDuration("1.5"), 1500);
 * ```
 */
export function parseDuration(text: string): number {
  const parts = split(text);
  const factor = parts && MILLISECONDS.get(parts.unit || "s");
  if (!parts || factor === undefined) {
    throw new UsageError(`"${text}" is not a time; write it like 250ms, 5s or 2m`);
  }
  return parts.number * factor;
}

/**
 * Writes a time for people, in the largest unit that keeps it above one, with three significant digits at the most.
 *
 * @param milliseconds The time in milliseconds.
 * @returns Text such as `83us`, `1.2ms`, `5s` or `2m 5s`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatDuration(1234), "1.23s");
 * assertEquals(formatDuration(125_000), "2m 5s");
 * ```
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${short(milliseconds * 1000)}us`;
  if (milliseconds < 999.5) return `${short(milliseconds)}ms`;
  if (milliseconds < 59_950) return `${short(milliseconds / 1000)}s`;
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return [[hours, "h"], [minutes, "m"], [rest, "s"]].filter(([n]) => n !== 0).map(([n, unit]) => `${n}${unit}`)
    .join(" ");
}

/**
 * Reads a size.
 *
 * @param text A whole number of bytes, or a number and a unit: `kB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB`, `GiB`
 * or just `K`, `M`, `G` (powers of 1024). Upper or lower case does not matter.
 * @returns The size in bytes.
 * @throws {UsageError} If the text is not a size, or not a whole number of bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseSize("64KiB"), 65536);
 * assertEquals(parseSize("1MB"), 1_000_000);
 * ```
 */
export function parseSize(text: string): number {
  const bytes = whole(text, BYTES);
  if (Number.isNaN(bytes)) {
    throw new UsageError(`"${text}" is not a size in bytes; write it like 64, 64KiB or 1MB`);
  }
  return bytes;
}

/**
 * Writes a size for people, in powers of 1024. Below a MiB it is exact: in bytes, where three digits of KiB would not be.
 * From there on it is cut after three digits, never rounded up, and `1.00 MiB` is a little more than `1 MiB`.
 *
 * @param bytes The size in bytes.
 * @returns Text such as `42 bytes`, `64 KiB`, `65507 bytes` or `1.5 GiB`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatSize(1536), "1.5 KiB");
 * assertEquals(formatSize(65_507), "65507 bytes");
 * assertEquals(formatSize(1024 ** 3 - 1), "1023 MiB");
 * ```
 */
export function formatSize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < SIZE_UNITS.length; unit++) value /= 1024;
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const cut = Math.floor(value * 10 ** decimals) / 10 ** decimals;
  const exact = cut === value;
  if (unit === 0 || (unit === 1 && !exact)) return plural(bytes, "byte");
  return `${exact ? cut : cut.toFixed(decimals)} ${SIZE_UNITS[unit - 1]}`;
}

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * Writes a count or a rate for people.
 *
 * @param value The number.
 * @returns A whole number, its thousands apart.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatCount(123_456.7), "123,457");
 * ```
 */
export function formatCount(value: number): string {
  return GROUPED.format(value);
}

/**
 * Writes how many there are of something.
 *
 * @param count How many.
 * @param noun What it is, in the singular; its plural takes an `s`.
 * @returns Text such as `1 byte` or `2 bytes`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([plural(1, "byte"), plural(0, "more message")], ["1 byte", "0 more messages"]);
 * ```
 */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Reads a whole number that may be shortened with `k`, `M` or `G` (powers of 1000).
 *
 * @param text The number, such as `100` or `20k`.
 * @returns The number.
 * @throws {UsageError} If the text is not such a number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseCount("20k"), 20_000);
 * ```
 */
export function parseCount(text: string): number {
  const count = whole(text, COUNTS);
  if (Number.isNaN(count)) {
    throw new UsageError(`"${text}" is not a whole number; write it like 100 or 20k`);
  }
  return count;
}

/** Three significant digits at the most, no trailing zeros, no exponent. */
function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
