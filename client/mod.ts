/**
 * meari's client, to be embedded in another program or a test: a peer to exchange messages with, and the modes.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connectPeer } from "@meari/meari/client";
 * import { startServer } from "@meari/meari/server";
 *
 * await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
 * await using peer = await connectPeer(server.endpoints[0]!, { timeout: 5000, retries: 2 });
 * const echo = await peer.exchange(new TextEncoder().encode("메아리"));
 * assertEquals(new TextDecoder().decode(echo.bytes), "메아리");
 * ```
 *
 * @module
 */

export { bench, type BenchInterval, type BenchOptions } from "./bench/bench.ts";
export type { BenchSummary } from "./bench/result.ts";
export type { JitterSummary } from "./measure/jitter.ts";
export type { LatencySummary, RttSummary } from "./measure/summary.ts";
export { connectPing } from "./ping/connect_ping.ts";
export { ping } from "./ping/ping.ts";
export type { Oddity, Sample } from "./ping/sample.ts";
export type { PingEngine, PingOptions, PingProgress, PingResult } from "./ping/session.ts";
export { sweep, type SweepOptions, type SweepRange, type SweepResult, type SweepRow } from "./ping/sweep.ts";
export type { PingCounts, PingSummary } from "./ping/tally.ts";
export { type ChatOptions, type ChatResult, type ChatTerminal, runChat } from "./talk/chat.ts";
export { connectPeer } from "./talk/connect_peer.ts";
export { type Difference, findDifference } from "./talk/difference.ts";
export { type ByteSource, readLines } from "./talk/lines.ts";
export type { Echo, EchoPeer, LateEcho, PeerOptions } from "./talk/peer.ts";
export { type Language, LANGUAGES } from "../lib/cli/messages.ts";
export { type RawOptions, type RawResult, runRaw } from "./talk/raw.ts";
export { runScript, type ScriptOptions } from "./talk/script.ts";
export type {
  Address,
  Endpoint,
  InetAddress,
  InetEndpoint,
  StreamConn,
  UnixAddress,
  UnixEndpoint,
} from "../lib/transport/mod.ts";
