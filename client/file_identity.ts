/**
 * Tells files apart, however they are named.
 *
 * @module
 */

/**
 * Tells which file a path leads to.
 *
 * @param path The path.
 * @returns Text that is the same for all names of one file, hard and symbolic links included, and for no other file;
 * `undefined` where there is no file, or none that may be looked at.
 */
export async function fileIdentity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await Deno.stat(path);
    // Not every system numbers its files.
    return ino ? `${dev}:${ino}` : await Deno.realPath(path);
  } catch {
    return undefined;
  }
}
