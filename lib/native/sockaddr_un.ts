/**
 * Addresses of Unix sockets, as system calls take and give them.
 *
 * @module
 */

import { LINUX } from "./linux.ts";

/** Where `sun_path` begins: behind `sun_family`, of 16 bits. */
const PATH_OFFSET = 2;

/**
 * How many bytes `sun_path` has: 108 on Linux (unix(7), `linux/un.h`), 104 on macOS and the BSDs (`sys/un.h`). A path
 * needs one more for the NUL behind it.
 */
export const SUN_PATH_BYTES: number = Deno.build.os === "linux" || Deno.build.os === "android" ? 108 : 104;

/**
 * Linux's `struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }`, with the length that the calls take
 * beside it: up to and with the NUL of a path. The name of an abstract socket begins with a zero byte and has none at its
 * end.
 */
export class SockaddrUn {
  /** The structure. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(PATH_OFFSET + 108);
  /** How many bytes of it count, as a `socklen_t`. */
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array([PATH_OFFSET + 108]);
  #encoder = new TextEncoder();

  /** The path, or an empty string where the socket has none. */
  get path(): string {
    const name = this.bytes.subarray(PATH_OFFSET, this.length[0]);
    return new TextDecoder().decode(name[0] === 0 || name.at(-1) !== 0 ? name : name.subarray(0, -1));
  }

  set path(path: string) {
    // Each system that Deno runs on is little-endian.
    this.bytes.fill(0);
    this.bytes[0] = LINUX.AF_UNIX;
    const { read, written } = this.#encoder.encodeInto(path, this.bytes.subarray(PATH_OFFSET));
    if (read < path.length || written >= SUN_PATH_BYTES) throw new RangeError("the path is too long for a Unix socket");
    this.length[0] = PATH_OFFSET + written + (path.startsWith("\0") ? 0 : 1);
  }
}
