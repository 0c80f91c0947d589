/**
 * The file of a Unix socket: a stale one is replaced, a live one is left alone, one's own is removed at the end, another's
 * never.
 *
 * @module
 */

import { resolve } from "node:path";
import { errorCode } from "../../errors.ts";
import { escapeControls } from "../../escape.ts";
import { SUN_PATH_BYTES } from "../../native/sockaddr_un.ts";

/**
 * Makes a path absolute, as Deno does before it binds or connects a socket, unless it has all permissions: so whatever is
 * done with the file is done with one and the same.
 *
 * @param path The path, or the name of an abstract socket, which begins with a zero byte.
 * @returns The absolute path; such a name as it is.
 * @throws An error that says so if the address of a Unix socket cannot hold it.
 */
export function socketPath(path: string): string {
  const absolute = path.startsWith("\0") ? path : resolve(path);
  const { length } = new TextEncoder().encode(absolute);
  if (length < SUN_PATH_BYTES) return absolute;
  const most = `${length} bytes, and ${SUN_PATH_BYTES - 1} are the most`;
  throw new Error(`the path ${escapeControls(absolute)} is too long for a Unix socket: ${most}`);
}

/**
 * Binds a Unix socket to a path, replacing the file of a socket that nobody listens on.
 *
 * @param path The path of the socket file, from {@linkcode socketPath}.
 * @param bind Binds to the path, and throws `EADDRINUSE` where a file is in the way.
 * @returns What was bound.
 * @throws An error that says so if what is in the way is not a socket.
 * @throws The operating system's error: `EADDRINUSE` where a live socket has the path.
 */
export async function claimPath<T>(path: string, bind: () => T): Promise<T> {
  try {
    return bind();
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw error;
  }
  const found = Deno.lstatSync(path);
  if (!found.isSocket) throw new Error("a file that is not a socket is in the way");
  // Nobody there is `ECONNREFUSED`, while a live datagram socket is of the wrong kind (`EPROTOTYPE`).
  if (await connectError(path) !== "ECONNREFUSED") throw addressInUse();
  // Whoever was as quick to see that it is stale may have replaced it meanwhile.
  if (!isSameFile(found, Deno.lstatSync(path))) throw addressInUse();
  Deno.removeSync(path);
  return bind();
}

/**
 * Tries to connect a stream to a path.
 *
 * @param path The path of a socket file.
 * @returns The error's code, or `undefined` where somebody listens for streams.
 * @throws An error that has no code.
 */
export async function connectError(path: string): Promise<string | undefined> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** The file of a socket that is bound here. It keeps its identity while the socket is open. */
export class SocketFile {
  #path: string;
  #file: Deno.FileInfo | undefined;

  /** @param path The path of a socket that was bound just now. */
  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.lstatSync(path);
  }

  /** Removes the file, but not what another program has put in its place. To be called before the socket is closed. */
  remove(): void {
    try {
      if (this.isThere()) Deno.removeSync(this.#path);
    } catch {
      // The folder may not be written to any more. Whoever listens there next replaces the file.
    }
    this.#file = undefined;
  }

  /** Tells whether the path still leads to this socket. */
  isThere(): boolean {
    if (this.#file === undefined) return false;
    try {
      return isSameFile(this.#file, Deno.lstatSync(this.#path));
    } catch {
      return false;
    }
  }
}

/**
 * Makes a name for a file beside another one, and guessable by nobody.
 *
 * @param path The path of a file, whose name shows in the new one's as far as a socket's address has room.
 * @returns A path in the same folder, short enough for a socket's address if the other one is.
 */
export function temporaryPath(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, slash), path.slice(slash)];
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  const room = SUN_PATH_BYTES - 1 - bytes(folder);
  const mark = `.${crypto.randomUUID().slice(0, 8)}`.slice(-room);
  const kept = [...name];
  while (kept.length > 0 && bytes(kept.join("")) + mark.length > room) kept.pop();
  return folder + kept.join("") + mark;
}

/**
 * Tells whether two looks saw one file.
 *
 * @param one What the first saw.
 * @param other What the second saw.
 * @returns Whether it was the same file.
 */
export function isSameFile(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/**
 * The error that binding to a path fails with where there is a file.
 *
 * @returns An error with the code `EADDRINUSE`.
 */
export function addressInUse(): Error {
  return Object.assign(new Error("Address already in use"), { code: "EADDRINUSE" });
}
