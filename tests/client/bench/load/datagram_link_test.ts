import { delay } from "@std/async/delay";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { planOf } from "../../../../client/bench/bench.ts";
import { LoadCounters } from "../../../../client/bench/load/counters.ts";
import { DatagramLink } from "../../../../client/bench/load/datagram_link.ts";
import { makeNoise } from "../../../../client/bench/load/noise.ts";
import { LoadSchedule } from "../../../../client/bench/load/schedule.ts";
import { type Endpoint, EndpointError, type InetAddress, type MessageConn } from "../../../../lib/transport/mod.ts";
import { bounded } from "../../../helpers/bounded.ts";

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

/** Sends three datagrams, one after the other, to a peer that does what the script says. */
function start(script: string[]) {
  const plan = planOf(endpoint, { messages: 3 });
  const schedule = new LoadSchedule(plan);
  schedule.begin(0);
  const counters = new LoadCounters(plan, schedule);
  const link = new DatagramLink(
    new ScriptedMessages(script),
    { plan, schedule, counters, noise: makeNoise() },
    () => NaN,
  );
  link.push(schedule.claim(1, 1));
  link.start();
  return { link, schedule, counters };
}

for (const code of ["ECONNREFUSED", "ECONNRESET"]) {
  bounded(`DatagramLink ends where it is told by ${code} that nobody is there`, async () => {
    for (const echoes of [[], ["echo", "echo"]]) {
      const { link, counters } = start([...echoes, code]);
      const end = await link.finished;
      assert(end instanceof EndpointError);
      assertStringIncludes(end.message, "cannot send to udp://127.0.0.1:7: connection re");
      assertEquals(counters.latencies.count, echoes.length);
      assertEquals(counters.counts.refused, {});
      link.abandon("lost");
      assertEquals(counters.counts.lost, 1);
      await link.end();
    }
  });
}

bounded("DatagramLink goes on after a receive that failed for another reason", async () => {
  const { link, schedule, counters } = start(["echo", "EOTHER", "echo", "echo"]);
  await schedule.idle;
  assertEquals([counters.latencies.count, counters.counts.refused], [3, { "cannot receive: it failed": 1 }]);
  await link.end();
});
