/**
 * Writes files whole or not at all.
 *
 * @module
 */

import { describeCause, MeariError } from "../lib/errors.ts";
import { escapeControls } from "../lib/escape.ts";

/**
 * Writes a text file whole or not at all: readers see what was there before or all of the new.
 *
 * @param path The file. Where it is no regular file, such as a pipe, it is written to as it is.
 * @param text The text.
 * @throws {MeariError} If it cannot be written.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  try {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info !== undefined && !info.isFile) return await Deno.writeTextFile(path, text);
    // What a symbolic link points to is replaced, not the link.
    const target = info === undefined ? path : await Deno.realPath(path);
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      await Deno.writeTextFile(temporary, text, {
        createNew: true,
        ...(info?.mode != null && { mode: info.mode & 0o777 }),
      });
      await Deno.rename(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
  } catch (error) {
    throw notWritten(path, error);
  }
}

/**
 * Checks that a file can be written, before anything that takes long. Where there is none, it makes an empty one.
 *
 * @param path The file.
 * @throws {MeariError} If it cannot be written.
 */
export function checkWritable(path: string): void {
  try {
    Deno.openSync(path, { append: true, create: true }).close();
  } catch (error) {
    throw notWritten(path, error);
  }
}

function notWritten(path: string, cause: unknown): MeariError {
  return new MeariError(`cannot write ${escapeControls(path)}: ${describeCause(cause)}`, { cause });
}
