import { assertEquals, assertRejects } from "@std/assert";
import { MeariError } from "../../lib/errors.ts";
import { type Address, closeListening, type Endpoint, type Listener } from "../../lib/transport/mod.ts";
import { acceptAll, listenAtAll } from "../../server/listener.ts";
import { bounded } from "../helpers/bounded.ts";
import { systemError } from "../helpers/errors.ts";
import { ManualTimers } from "../helpers/manual_timers.ts";

/** A connection that notes that it was closed. */
class Conn {
  closed = false;
  close(): void {
    this.closed = true;
  }
}

/** A listener that hands out what a script says, then waits until it is closed. */
class ScriptedListener implements Listener<Conn> {
  readonly addr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 7 };
  closed = 0;
  #steps: (Conn | Error)[];
  #over = Promise.withResolvers<never>();

  constructor(...steps: (Conn | Error)[]) {
    this.#steps = steps;
    this.#over.promise.catch(() => {});
  }

  async accept(): Promise<Conn> {
    await Promise.resolve();
    const step = this.#steps.shift();
    if (step === undefined) return await this.#over.promise;
    if (step instanceof Error) throw step;
    return step;
  }

  close(): void {
    this.closed++;
    this.#over.reject(new Deno.errors.BadResource("closed"));
  }
}

/** Runs the accept loop of a scripted listener; `told` is what it told. */
function accept(...steps: (Conn | Error)[]) {
  const controller = new AbortController();
  const listener = new ScriptedListener(...steps);
  const told: (Conn | string | undefined)[] = [];
  const running = acceptAll(listener, {
    signal: controller.signal,
    onConnection: (conn) => told.push(conn),
    onFailure: (error) => told.push((error as { code?: string }).code),
  });
  return { controller, listener, told, running };
}

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

bounded("acceptAll() hands over each connection until its signal closes the listener", async () => {
  const conns = [new Conn(), new Conn()];
  const { controller, listener, told, running } = accept(...conns);
  await turns();
  controller.abort();
  await running;
  assertEquals([told, listener.closed, conns.map(({ closed }) => closed)], [conns, 1, [false, false]]);
});

Deno.test("acceptAll() waits longer after each failure, and as briefly as at first after a connection", async () => {
  using timers = new ManualTimers();
  const full = systemError("EMFILE");
  const { controller, told, running } = accept(...Array(10).fill(full), new Conn(), full, new Conn());
  await turns();
  let waited = 0;
  const waits: number[] = [];
  while (told.length < 13) {
    const before = told.length;
    while (told.length === before) {
      timers.advance(1);
      waited++;
      await turns();
    }
    waits.push(waited);
    waited = 0;
  }
  // The tenth wait is over with a connection, and the next failure comes with it.
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 5]);
  controller.abort();
  await running;
  assertEquals(timers.pending, 0);
});

Deno.test("acceptAll() ends at once and without a word when it is stopped in a pause", async () => {
  using timers = new ManualTimers();
  const { controller, told, running } = accept(systemError("EMFILE"), new Conn());
  await turns();
  controller.abort();
  await running;
  assertEquals([told, timers.pending], [["EMFILE"], 0]);
});

bounded("acceptAll() closes a connection that comes as it is stopped", async () => {
  const conn = new Conn();
  const { controller, told, running } = accept(conn);
  controller.abort();
  await running;
  assertEquals([told, conn.closed], [[], true]);
});

const host = "127.0.0.1";
const any = (transport: string): Endpoint => ({ transport, host, port: 0 });

bounded("listenAtAll() listens at all endpoints in their order, and gives one port to each group", async () => {
  const listening = await listenAtAll([[any("tcp"), any("udp")], [any("tcp")], []]);
  listening.forEach(closeListening);
  assertEquals(listening.map(({ kind }) => kind), ["stream", "datagram", "stream"]);
  const [tcp, udp, other] = listening.map(({ endpoint }) => (endpoint as { port: number }).port);
  assertEquals([tcp === udp, tcp === other], [true, false]);
});

bounded("listenAtAll() listens at none when it cannot at one", async () => {
  const [taken] = await listenAtAll([[any("tcp")]]);
  // What stays open fails the test.
  const wanted = [[any("udp")], [any("tcp")], [taken!.endpoint]];
  await assertRejects(() => listenAtAll(wanted), MeariError, "address already in use");
  closeListening(taken!);
});
