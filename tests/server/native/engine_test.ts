import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Endpoint } from "../../../lib/endpoint.ts";
import { connectMessages, listenNatively } from "../../../lib/transport/mod.ts";
import { Subscribers } from "../../../server/events.ts";
import { NativeEngine } from "../../../server/native/engine.ts";
import { COUNTED, SharedCounters } from "../../../server/native/shared_counters.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly } from "../../helpers/engines.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { assertEchoes, connect, noise, readToEnd, writeAll } from "../../helpers/streams.ts";

const MORTAL = new URL("../../helpers/mortal_worker.ts", import.meta.url);
const DIE = new TextEncoder().encode("die");

/** An engine of workers that die when they are told to. */
class MortalEngine implements AsyncDisposable {
  readonly log = new EventLog();
  readonly told: string[] = [];
  readonly counters: SharedCounters;
  readonly engine: NativeEngine;

  private constructor(
    readonly endpoints: Endpoint[],
    listening: Awaited<ReturnType<typeof listenNatively>>[],
    workers: number,
    once: boolean,
    worker: URL,
  ) {
    this.counters = new SharedCounters(workers);
    const subscribers = new Subscribers();
    subscribers.add(this.log.add);
    this.engine = new NativeEngine({
      listening,
      quit: true,
      workers,
      datagramAddresses: [],
      counters: this.counters,
      once,
      subscribers,
      onBegun: () => this.told.push("begun") && this.engine.close(),
      onEnded: () => this.told.push("ended"),
      worker,
    });
  }

  static async start({ workers = 1, once = false, worker = MORTAL } = {}): Promise<MortalEngine> {
    const listening = [];
    for (const transport of ["tcp", "udp"]) {
      listening.push(await listenNatively({ transport, host: "127.0.0.1", port: 0 }, workers));
    }
    return new MortalEngine(listening.map(({ endpoint }) => endpoint), listening, workers, once, worker);
  }

  /** How many connections are open, as the workers count. */
  get open(): number {
    return this.counters.sums[COUNTED.open]!;
  }

  async exchangeDatagram(bytes: Uint8Array): Promise<void> {
    const conn = await connectMessages(this.endpoints[1]!, { timeout: 5000 });
    await conn.send(bytes);
    assertEquals(await conn.receive(new Uint8Array(100)), bytes);
    conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.kill();
    await this.engine.stop(0);
  }
}

bounded("NativeEngine tells of a worker that dies and replaces it, on the same ports", async () => {
  await using mortal = await MortalEngine.start();
  const { log, engine, endpoints } = mortal;
  {
    using dead = await connect(endpoints[0]), beside = await connect(endpoints[0]);
    await assertEchoes(dead, noise(10));
    await assertEchoes(beside, noise(10));
    await writeAll(dead, DIE);
    // Those who had a connection learn of its end.
    for (const conn of [dead, beside]) await readToEnd(conn).catch(() => {});
  }
  const { worker, cause } = await log.nth(1, "replaced");
  assertEquals([worker, cause, engine.replaced], [0, "a fault of ours", 1]);
  // What it did before is told, each thing before its end, and counted.
  assertEquals(log.all.map(({ type }) => type), [
    ...["connected", "connected", "echoed", "echoed"] as const,
    ...["disconnected", "disconnected", "replaced"] as const,
  ]);
  assertEquals([mortal.open, mortal.counters.sums[COUNTED.connections]], [0, 2]);
  using conn = await connect(endpoints[0]);
  await assertEchoes(conn, noise(100));
  await mortal.exchangeDatagram(noise(50));
  assertEquals((await log.nth(3, "connected")).connection, 3);
  assertEquals(mortal.open, 1);
}, linuxOnly);

bounded("NativeEngine has the other workers go on when one dies", async () => {
  await using mortal = await MortalEngine.start({ workers: 2 });
  const { log, engine, endpoints } = mortal;
  const conns = await Promise.all(Array.from({ length: 40 }, () => connect(endpoints[0])));
  await log.nth(40, "connected");
  await writeAll(conns[0]!, DIE);
  const { worker } = await log.nth(1, "replaced");
  assertEquals(engine.replaced, 1);
  const gone = log.of("disconnected").length;
  assert(gone > 0 && gone < 40, `${gone} connections of worker ${worker} are gone`);
  assertEquals(mortal.open, 40 - gone);
  const results = await Promise.allSettled(conns.map((conn, i) => assertEchoes(conn, noise(100, i))));
  assertEquals(results.filter(({ status }) => status === "rejected").length, gone);
  for (const conn of conns) conn.close();
  // Both serve those who come.
  const more = await Promise.all(Array.from({ length: 40 }, () => connect(endpoints[0])));
  await Promise.all(more.map((conn, i) => assertEchoes(conn, noise(100, i))));
  for (let i = 0; i < 10; i++) await mortal.exchangeDatagram(noise(50, i));
  for (const conn of more) conn.close();
}, linuxOnly);

bounded("NativeEngine replaces a worker that dies again and again, with pauses, until it stops", async () => {
  await using mortal = await MortalEngine.start({
    worker: new URL("data:text/javascript,throw new Error('a fault%5Cn at the start')"),
  });
  const { log } = mortal;
  const { cause } = await log.nth(3, "replaced");
  assertMatch(cause, /^Uncaught .*a fault$/);
}, linuxOnly);

bounded("NativeEngine lets nobody in again when a worker dies with the only conversation", async () => {
  await using mortal = await MortalEngine.start({ once: true, workers: 2 });
  const { log, told, endpoints } = mortal;
  using conn = await connect(endpoints[0]);
  await assertEchoes(conn, noise(10));
  await log.nth(1, "echoed");
  await writeAll(conn, DIE);
  await log.nth(1, "replaced");
  assertEquals(told, ["begun", "ended"]);
  // Nobody takes its place, who would find its listener shut.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(log.of("failed"), []);
  // The listener of the other worker may take a moment to close: who has got through to it is turned away then.
  const late = await connect(endpoints[0]).catch(() => undefined);
  if (late !== undefined) assertEquals((await readToEnd(late).catch(() => [])).length, 0);
  late?.close();
  assertEquals(log.of("connected").length, 1);
}, linuxOnly);

bounded("NativeEngine.stop() ends when a worker dies meanwhile", async () => {
  const mortal = await MortalEngine.start();
  const { engine, endpoints } = mortal;
  using conn = await connect(endpoints[0]);
  await assertEchoes(conn, noise(10));
  await writeAll(conn, DIE);
  await engine.stop(10_000);
  await assertRejects(() => connect(endpoints[0]), Deno.errors.ConnectionRefused);
}, linuxOnly);
