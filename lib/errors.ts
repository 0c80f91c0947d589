/**
 * The errors that end a program in one line and an exit code, and the words for what the operating system says.
 *
 * @module
 */

/** What both programs exit with. */
export const ExitCode = {
  /** All went well. */
  ok: 0,
  /** It could not run or go on: refused, unreachable, address in use, timeout … */
  failed: 1,
  /** It was called wrongly. */
  usage: 2,
  /** It ran, but what came back was not what went out: loss or mismatch. */
  mismatch: 3,
} as const;

/** An error whose message is meant for the user: one line that says what was wrong and what to do. */
export class MeariError extends Error {
  /** What the program exits with when this error ends it. */
  readonly exitCode: number = ExitCode.failed;

  /**
   * Makes an error that ends in one line.
   *
   * @param message The line for the user, without the program's name in front.
   * @param options The `cause`, where there is one.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A wrong call: an unknown option, a value that cannot be read … (exit code 2). */
export class UsageError extends MeariError {
  /** Always 2. */
  override readonly exitCode: number = ExitCode.usage;
}

/** What came back was not what went out: an echo is missing, cut short or different (exit code 3). */
export class EchoError extends MeariError {
  /** Always 3. */
  override readonly exitCode: number = ExitCode.mismatch;
}

const CAUSES: Record<string, string> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "this machine does not have that address",
  EAFNOSUPPORT: "that kind of address is not supported here",
  EBADF: "it is not open",
  ECONNABORTED: "connection aborted",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by the peer",
  EDQUOT: "disk quota exceeded",
  EFBIG: "file too large",
  EHOSTDOWN: "host is down",
  EHOSTUNREACH: "host unreachable",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  EMSGSIZE: "message too long",
  ENAMETOOLONG: "name too long",
  ENETDOWN: "network is down",
  ENETUNREACH: "network unreachable",
  ENFILE: "too many open files on this machine",
  ENOBUFS: "no buffer space",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTCONN: "not connected",
  ENOTDIR: "a part of the path is not a directory",
  ENOTSOCK: "it is not a socket",
  EPERM: "operation not permitted",
  EPIPE: "connection closed by the peer",
  EPROTOTYPE: "it is a socket of another kind",
  EROFS: "read-only file system",
  ETIMEDOUT: "timed out",
};

/**
 * The operating system's code of an error.
 *
 * @param error Whatever was thrown.
 * @returns A code such as `ECONNREFUSED`, or `undefined` where the error has none.
 */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  // Deno gives this one no code.
  return error.message.startsWith("Protocol wrong type for socket") ? "EPROTOTYPE" : undefined;
}

/**
 * Says in a few words why an operation failed.
 *
 * @param error Whatever was thrown.
 * @returns Words such as `connection refused`, without a full stop.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const error = Object.assign(new Error("Connection refused (os error 111)"), { code: "ECONNREFUSED" });
 * assertEquals(describeCause(error), "connection refused");
 * ```
 */
export function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = CAUSES[errorCode(error) ?? ""];
  if (known !== undefined) return known;
  if (error.name === "TimeoutError") return "timed out";
  if (isUnknownHost(error)) return "no such host";
  // Deno takes what lies in /dev, /proc or /sys for a way around its permissions, and opens it with all of them only.
  if (error.message.startsWith("Requires all access")) {
    return "Deno opens devices and system files only for programs that may do everything; name a regular file";
  }
  const [firstLine = ""] = error.message.split("\n");
  return firstLine.replace(/ \(os error \d+\).*/, "") || error.name;
}

/**
 * Tells whether a name could not be resolved. Deno gives such an error no code, and `node:dns` gives it one.
 *
 * @param error Whatever was thrown.
 * @returns Whether it is a failed name lookup.
 */
export function isUnknownHost(error: unknown): boolean {
  return error instanceof Error &&
    (errorCode(error) === "ENOTFOUND" || /failed to lookup address|No such host is known/i.test(error.message));
}
