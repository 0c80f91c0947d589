/**
 * How an echo differs from what was sent.
 *
 * @module
 */

import { equals } from "@std/bytes/equals";
import { escapeControls } from "../../lib/escape.ts";
import type { Echo } from "./peer.ts";

/** How many bytes are shown on each side of the first that differs. */
const SHOWN = 20;

/** The first difference between a message and its echo. */
export interface Difference {
  /** The number of the first byte that differs, from 1. */
  byte: number;
  /** What was sent around that byte, quoted. */
  sent: string;
  /** What came back around it, quoted. */
  got: string;
}

/**
 * Finds where an echo differs from its message. An echo that is not whole differs only in what has come of it.
 *
 * @param message What was sent.
 * @param echo What came back.
 * @returns The first difference, or `undefined` where there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * const difference = { byte: 1, sent: '"hello"', got: '"iello"' };
 * assertEquals(findDifference(bytes("hello"), { bytes: bytes("iello") }), difference);
 * ```
 */
export function findDifference(message: Uint8Array, { bytes, missing }: Echo): Difference | undefined {
  const index = firstDifference(missing === undefined ? message : message.subarray(0, bytes.length), bytes);
  if (index < 0) return undefined;
  return { byte: index + 1, sent: quoted(message, index), got: quoted(bytes, index) };
}

/**
 * Finds the first byte in which two byte strings differ.
 *
 * @param a One.
 * @param b The other.
 * @returns Its index, or -1 where they are equal. Where one begins with the other, it is the length of the shorter.
 */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (equals(a, b)) return -1;
  let index = 0;
  while (index < a.length && a[index] === b[index]) index++;
  return index;
}

/** Shows bytes around an index as text, at most so many as one reads at a glance. */
function quoted(bytes: Uint8Array, index: number): string {
  const start = Math.max(0, index - SHOWN);
  const shown = new TextDecoder().decode(bytes.subarray(start, index + SHOWN));
  return `${start > 0 ? "…" : ""}"${escapeControls(shown)}"${index + SHOWN < bytes.length ? "…" : ""}`;
}
