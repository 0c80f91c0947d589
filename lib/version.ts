/**
 * Which meari this is.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

/** The version of meari, as deno.json has it. */
export const VERSION: string = config.version;

/**
 * What `--version` prints.
 *
 * @param program The name of the program.
 * @returns A line such as `meari 0.1.0 (deno 2.7.11, x86_64-unknown-linux-gnu)`.
 */
export function versionLine(program: string): string {
  return `${program} ${VERSION} (deno ${Deno.version.deno}, ${Deno.build.target})`;
}
