/**
 * The C library of Linux, through FFI: the calls that Deno has no way to make.
 *
 * @module
 */

import { constants } from "node:os";

/**
 * Results of type ssize_t are read as i32, which is a plain number: nothing is sent or received at once that has 2 GiB. A
 * call that takes only numbers and buffers and gives a number costs some 6 ns.
 */
const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "buffer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  // The fourth parameter is a mask of signals.
  ppoll: { parameters: ["buffer", "usize", "buffer", "buffer"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // With a length of type usize a call costs 80 ns more, so that these are faster than recv and send.
  readv: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  writev: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // Variadic in C: F_GETFL takes nothing more.
  fcntl: { parameters: ["i32", "i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  inet_ntop: { parameters: ["i32", "buffer", "buffer", "u32"], result: "pointer" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** The C library, opened. Once it is closed its calls must not be made any more. */
export interface Libc extends Pick<Library, "symbols" | "close"> {
  /**
   * Tells why the last call has failed. To be asked at once after it: the runtime makes calls of its own.
   *
   * @returns The number.
   */
  errno(): number;
}

/** Opening it takes a millisecond, so whoever needs it at the same time, in a thread, shares it. */
let shared: { library: Library; errno: Deno.UnsafePointerView } | undefined;
let users = 0;

/**
 * Opens the C library.
 *
 * @returns The library, or `undefined` where it is not to be had: another system, another C library, or no permission,
 * which is not asked for.
 */
export function openLibc(): Libc | undefined {
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  try {
    shared ??= open();
  } catch {
    return undefined;
  }
  users++;
  const { library: { symbols }, errno } = shared;
  return {
    symbols,
    errno: () => errno.getInt32(),
    close: () => {
      if (--users > 0) return;
      shared?.library.close();
      shared = undefined;
    },
  };
}

function open(): NonNullable<typeof shared> {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  // Each thread has an errno of its own, which stays in its place.
  return { library, errno: new Deno.UnsafePointerView(library.symbols.__errno_location()!) };
}

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// Where a number has two names.
NAMES.set(constants.errno.EAGAIN, "EAGAIN");

/**
 * Names an error.
 *
 * @param errno Its number.
 * @returns Its code, such as `ECONNREFUSED`.
 */
export function errnoCode(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/**
 * Makes an error of a call that has failed.
 *
 * @param call The call.
 * @param errno Why it has failed.
 * @returns An error with a code such as `ECONNREFUSED`, as Deno's own have.
 */
export function systemError(call: string, errno: number): Error & { code: string } {
  const code = errnoCode(errno);
  return Object.assign(new Error(`${call}: ${code}`), { code });
}

/**
 * Takes the result of a call that fails only where something is wrong.
 *
 * @param libc The library.
 * @param call The name of the call, which has just returned.
 * @param result What it returned.
 * @returns The result.
 * @throws An error with the system's code where the call has failed.
 */
export function succeeded(libc: Libc, call: string, result: number): number {
  if (result < 0) throw systemError(call, libc.errno());
  return result;
}
