/**
 * The file of a Unix socket: a stale one is replaced, a live one is left alone, one's own is removed at the end.
 *
 * @module
 */

import { errorCode, MeariError } from "../errors.ts";

/**
 * Binds a Unix socket to a path, replacing a socket file that nobody listens on.
 *
 * @param path The path of the socket file.
 * @param bind Binds to the path, and throws `EADDRINUSE` where a file is in the way.
 * @returns What was bound; its `close` also removes the file. One that another program has put there since is left alone
 * by a datagram socket; Deno's own stream listener removes whatever has the path.
 * @throws {MeariError} If what is in the way is not a socket.
 * @throws The operating system's error: `EADDRINUSE` where a live socket has the path.
 */
export async function bindUnixFile<T extends { close(): void }>(path: string, bind: (path: string) => T): Promise<T> {
  let bound: T;
  try {
    bound = bind(path);
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE" || await isLive(path)) throw error;
    Deno.removeSync(path);
    bound = bind(path);
  }
  const file = Deno.lstatSync(path);
  const close = bound.close.bind(bound);
  bound.close = () => {
    close();
    try {
      const now = Deno.lstatSync(path);
      if (now.ino === file.ino && now.dev === file.dev) Deno.removeSync(path);
    } catch {
      // It is gone already.
    }
  };
  return bound;
}

/**
 * A connection attempt tells a live socket from a stale file for both kinds of Unix socket: nobody there is
 * `ECONNREFUSED`, while a live datagram socket is of the wrong kind (`EPROTOTYPE`).
 */
async function isLive(path: string): Promise<boolean> {
  if (!Deno.lstatSync(path).isSocket) {
    throw new MeariError(`cannot listen on ${path}: a file that is not a socket is in the way`);
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return errorCode(error) !== "ECONNREFUSED";
  }
}
