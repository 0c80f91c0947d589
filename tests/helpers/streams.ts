import type { Endpoint } from "../../lib/endpoint.ts";
import type { StreamConn } from "../../lib/transport/mod.ts";
import { equals } from "@std/bytes/equals";
import { assert, assertEquals } from "@std/assert";

/** Connects to a stream endpoint with Deno itself, so that a test of the server does not lean on our client. */
export async function connect(endpoint: Endpoint | undefined): Promise<Deno.TcpConn | Deno.UnixConn> {
  assert(endpoint !== undefined);
  if ("path" in endpoint) return await Deno.connect({ transport: "unix", path: endpoint.path });
  return await Deno.connect({ hostname: endpoint.host, port: endpoint.port });
}

/** Writes all of the bytes. */
export async function writeAll(conn: Pick<StreamConn, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** Reads so many bytes, or up to the end where that comes first. */
export async function readBytes(conn: Pick<StreamConn, "read">, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = await conn.read(bytes.subarray(done));
    if (count === null) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Reads up to the end of the stream. */
export async function readToEnd(conn: Pick<StreamConn, "read">): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  return await new Blob(parts).bytes();
}

/** Sends bytes and checks that just they come back. */
export async function assertEchoes(conn: Pick<StreamConn, "read" | "write">, bytes: Uint8Array): Promise<void> {
  const [echo] = await Promise.all([readBytes(conn, bytes.length), writeAll(conn, bytes)]);
  assertSameBytes(echo, bytes);
}

/** As `assertEquals`, but fast, and with the first difference in place of megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (equals(actual, expected)) return;
  const at = expected.findIndex((byte, i) => actual[i] !== byte);
  assertEquals(
    [actual.length, at, actual[at]],
    [expected.length, at, expected[at]],
    "length, place of difference, byte",
  );
}

/** Bytes without a pattern that a shifted or repeated block could pass for: xorshift32. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}
