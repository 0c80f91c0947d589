/**
 * Types of the parts of Deno's standard library that meari uses: deno-std, the npm package they come from, ships none.
 * Each follows the signature that the standard library documents. The npm package republishes the library unchanged; it
 * is used because JSR is not reachable from every network. To go back to JSR, point each `@std/…` of the import map in
 * import_map.json at `jsr:@std/…` and delete this file.
 */

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(value: unknown, message?: string): asserts value;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  // deno-lint-ignore no-explicit-any
  export type Constructor<E extends Error> = abstract new (...args: any[]) => E;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: Constructor<E>,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: Constructor<E>,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
}

declare module "@std/async/abortable" {
  export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
}

declare module "@std/async/delay" {
  export function delay(ms: number, options?: { signal?: AbortSignal; persistent?: boolean }): Promise<void>;
}

declare module "@std/bytes/concat" {
  export function concat(buffers: readonly Uint8Array[]): Uint8Array;
}

declare module "@std/bytes/equals" {
  export function equals(a: Uint8Array, b: Uint8Array): boolean;
}

declare module "@std/cli/parse-args" {
  export function parseArgs(
    args: readonly string[],
    options?: {
      boolean?: readonly string[];
      string?: readonly string[];
      collect?: readonly string[];
      unknown?: (arg: string, key?: string, value?: unknown) => unknown;
    },
  ): Record<string, unknown> & { _: (string | number)[] };
}

declare module "@std/encoding/base64" {
  export function encodeBase64(data: ArrayBuffer | Uint8Array | string): string;
}

declare module "@std/fmt/colors" {
  export function setColorEnabled(enabled: boolean): void;
  export function bold(text: string): string;
  export function dim(text: string): string;
  export function red(text: string): string;
  export function green(text: string): string;
  export function yellow(text: string): string;
  export function cyan(text: string): string;
}

declare module "@std/html/entities" {
  export function escape(str: string): string;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}
