/**
 * The C library of Linux, through FFI: the calls that Deno has no way to make.
 *
 * @module
 */

const SYMBOLS = {
  // The results of type ssize_t are read as i32, which is a plain number; what is sent at once is never 2 GiB.
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // Variadic in C: F_GETFL takes nothing more.
  fcntl: { parameters: ["i32", "i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** The C library, opened. Once it is closed its calls must not be made any more. */
export type Libc = Pick<Library, "symbols" | "close">;

/**
 * Numbers of Linux, the same on x86-64 and ARM64: `asm-generic/socket.h`, `asm-generic/ioctls.h`, `asm-generic/fcntl.h`,
 * `linux/socket.h`.
 */
export const LINUX = {
  /** For `sendto`: fail with `EAGAIN` rather than wait. */
  MSG_DONTWAIT: 0x40,
  /** The level of the options of every kind of socket. */
  SOL_SOCKET: 1,
  /** How many bytes may wait in all that a socket has sent, as an int. */
  SO_SNDBUF: 7,
  /** For `ioctl`: how many bytes wait that a socket has sent, as an int. */
  TIOCOUTQ: 0x5411n,
  /** For `fcntl`: the flags with which a file was opened. */
  F_GETFL: 3,
  /** Of those flags: for what it was opened, and the value for reading and writing. */
  O_ACCMODE: 3,
  O_RDWR: 2,
} as const;

/** Opening it takes a millisecond, so whoever needs it at the same time shares it. */
let shared: Library | undefined;
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
    shared ??= Deno.dlopen("libc.so.6", SYMBOLS);
  } catch {
    return undefined;
  }
  users++;
  return {
    symbols: shared.symbols,
    close: () => {
      if (--users > 0) return;
      shared?.close();
      shared = undefined;
    },
  };
}

/** `asm-generic/errno-base.h` and `asm-generic/errno.h`: what a send may fail with. */
const CODES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  20: "ENOTDIR",
  22: "EINVAL",
  40: "ELOOP",
  90: "EMSGSIZE",
  91: "EPROTOTYPE",
  105: "ENOBUFS",
  111: "ECONNREFUSED",
};

/**
 * Makes an error of what the last call has failed with. To be called at once after it.
 *
 * @param libc The library.
 * @param call The call that has failed.
 * @returns An error with a code such as `ECONNREFUSED`, as Deno's own have.
 */
export function lastError(libc: Libc, call: string): Error & { code: string } {
  const errno = new Deno.UnsafePointerView(libc.symbols.__errno_location()!).getInt32();
  const code = CODES[errno] ?? `errno ${errno}`;
  return Object.assign(new Error(`${call}: ${code}`), { code });
}
