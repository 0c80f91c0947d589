/**
 * meari's echo server, to be embedded in another program or a test.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { startServer } from "@meari/meari/server";
 *
 * await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], onEvent: (event) => event.type });
 * const { host, port } = server.endpoints[0] as { host: string; port: number };
 * using conn = await Deno.connect({ hostname: host, port });
 * await conn.write(new TextEncoder().encode("메아리"));
 * const echo = new Uint8Array(64);
 * const length = await conn.read(echo);
 * assertEquals(new TextDecoder().decode(echo.subarray(0, length ?? 0)), "메아리");
 * ```
 *
 * @module
 */

export * from "./events.ts";
export { type Server, SERVER_ENDPOINT_OPTIONS, type ServerOptions, startServer } from "./server.ts";
export type { Endpoint, InetEndpoint, Transport, UnixEndpoint } from "../lib/endpoint.ts";
export type { Ending } from "../lib/messages.ts";
export type { Address, InetAddress, UnixAddress } from "../lib/transport/mod.ts";
