import { delay } from "@std/async/delay";
import { assert, assertEquals } from "@std/assert";
import { planOf } from "../../../../../client/bench/bench.ts";
import { LoadCounters } from "../../../../../client/bench/load/counters.ts";
import { MessageLink } from "../../../../../client/bench/load/portable/message_link.ts";
import { makeNoise } from "../../../../../client/bench/load/exchange/noise.ts";
import { LoadSchedule } from "../../../../../client/bench/load/schedule.ts";
import { type Endpoint, EndpointError, type InetAddress, type MessageConn } from "../../../../../lib/transport/mod.ts";
import { bounded } from "../../../../helpers/bounded.ts";
import { framed } from "../../../../helpers/framed.ts";
import { ownTransport } from "../../../../helpers/own_transport.ts";

const endpoint: Endpoint = { transport: "udp", host: "127.0.0.1", port: 7 };
const address: InetAddress = { transport: "udp", hostname: "127.0.0.1", port: 7 };

/** A conversation in which each receive finds the echo of what was sent, or fails, as a script says; then nothing comes. */
class ScriptedMessages implements MessageConn {
  readonly localAddr = address;
  readonly remoteAddr = address;
  #script: string[];
  #sent: Uint8Array[] = [];
  #closed = Promise.withResolvers<never>();

  constructor(script: string[]) {
    this.#script = [...script];
    this.#closed.promise.catch(() => {});
  }

  async receive(buffer: Uint8Array): Promise<Uint8Array> {
    const step = this.#script.shift();
    if (step === undefined) return await this.#closed.promise;
    if (step !== "echo") throw Object.assign(new Error("it failed"), { code: step });
    // On its way meanwhile.
    await delay(0);
    const message = this.#sent.shift()!;
    buffer.set(message);
    return buffer.subarray(0, message.length);
  }

  async send(message: Uint8Array): Promise<void> {
    this.#sent.push(message.slice());
    await Promise.resolve();
  }

  close(): void {
    this.#closed.reject(new Error("closed"));
  }
}

/** Sends three messages, one after the other, to a peer that does what the script says. */
function start(script: string[], to = endpoint) {
  const plan = planOf(to, { messages: 3 });
  const schedule = new LoadSchedule(plan);
  schedule.begin(0);
  const counters = new LoadCounters(plan, schedule);
  const link = new MessageLink(
    new ScriptedMessages(script),
    { plan, schedule, counters, noise: makeNoise() },
    () => NaN,
  );
  link.push(schedule.claim(1, 1));
  link.start();
  return { link, schedule, counters };
}

bounded("MessageLink ends where it is told that nobody is there", async () => {
  for (const echoes of [[], ["echo", "echo"]]) {
    const { link, counters } = start([...echoes, "ECONNREFUSED"]);
    const end = await link.finished;
    assert(end instanceof EndpointError);
    assertEquals(end.message, "cannot send to udp://127.0.0.1:7: connection refused");
    assertEquals(counters.latencies.count, echoes.length);
    assertEquals(counters.counts.refused, {});
    link.abandon("lost");
    assertEquals(counters.counts.lost, 1);
    await link.end();
  }
});

bounded("MessageLink ends with the reason where a connection breaks", async () => {
  using _row = ownTransport("framed", framed);
  const { link, counters } = start(["echo", "ECONNRESET"], { ...endpoint, transport: "framed" });
  assertEquals(await link.finished, "connection reset by the peer");
  assertEquals([counters.latencies.count, counters.counts.refused], [1, {}]);
  await link.end();
});

bounded(
  "MessageLink gives a connection up where it owes answers and sends none, and loses nothing before",
  async () => {
    using _row = ownTransport("framed", framed);
    const { link, counters } = start([], { ...endpoint, transport: "framed" });
    const { wait, timeout } = planOf(endpoint, {});
    const now = performance.now();
    link.watch(now + wait + 1);
    assertEquals(counters.counts.lost, 0);
    link.watch(now + timeout + 1);
    assertEquals(await link.finished, "no answer for 5s");
    await link.end();
  },
);

bounded("MessageLink goes on after a receive that failed for another reason", async () => {
  const { link, schedule, counters } = start(["echo", "EOTHER", "echo", "echo"]);
  await schedule.idle;
  assertEquals([counters.latencies.count, counters.counts.refused], [3, { "cannot receive: it failed": 1 }]);
  await link.end();
});
