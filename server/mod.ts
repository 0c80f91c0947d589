/**
 * meari's echo server, to be embedded in another program or a test.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connectPeer } from "@meari/meari/client";
 * import { startServer } from "@meari/meari/server";
 *
 * await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
 * await using peer = await connectPeer(server.endpoints[0]!, { timeout: 5000, retries: 0 });
 * const echo = await peer.exchange(new TextEncoder().encode("메아리"));
 * assertEquals(new TextDecoder().decode(echo.bytes), "메아리");
 * ```
 *
 * @module
 */

export type * from "./events.ts";
export type { DatagramRefusal } from "./guard/datagram_guard.ts";
export { Server, type ServerOptions, startServer } from "./server.ts";
export { serviceOptions } from "./services/table.ts";
export type { Ending } from "../lib/cli/messages.ts";
export type { Address, Endpoint, InetAddress, InetEndpoint, UnixAddress, UnixEndpoint } from "../lib/transport/mod.ts";
