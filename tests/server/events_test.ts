import { assertEquals } from "@std/assert";
import { type ServerEvent, Subscribers } from "../../server/events.ts";
import { startServer } from "../../server/mod.ts";
import { onEachEngine } from "../helpers/engines.ts";
import { EventLog } from "../helpers/event_log.ts";
import { assertEchoes, connect, noise } from "../helpers/streams.ts";
import { Uncaught } from "../helpers/uncaught.ts";

const endpoint = { transport: "tcp", host: "127.0.0.1", port: 7 } as const;
const stopping: ServerEvent = { type: "stopping", connections: 1 };
const failed: ServerEvent = { type: "failed", endpoint, operation: "accept", cause: "too many open files" };

Deno.test("Subscribers.tell() tells each what it wants to know, in the order in which they came", () => {
  const subscribers = new Subscribers();
  const told: string[] = [];
  subscribers.add(({ type }) => told.push(`all ${type}`));
  subscribers.add(({ type }) => told.push(`failures ${type}`), ["failed"]);
  subscribers.add(({ type }) => told.push(`nothing ${type}`), []);
  subscribers.tell(stopping);
  subscribers.tell(failed);
  assertEquals(told, ["all stopping", "all failed", "failures failed"]);
});

Deno.test("Subscribers.add() returns what ends that one subscription", () => {
  const subscribers = new Subscribers();
  const told: number[] = [];
  const subscriber = (number: number) => () => told.push(number);
  const remove = [1, 2, 3].map((number) => subscribers.add(subscriber(number)));
  remove[1]!();
  remove[1]!();
  subscribers.tell(stopping);
  assertEquals(told, [1, 3]);
  // The same function twice is two subscriptions.
  const twice = () => told.push(9);
  const removeOne = subscribers.add(twice);
  subscribers.add(twice);
  removeOne();
  told.length = 0;
  subscribers.tell(stopping);
  assertEquals(told, [1, 3, 9]);
});

Deno.test("Subscribers.tell() is not confused when subscribers come and go while it tells", () => {
  const subscribers = new Subscribers();
  const told: string[] = [];
  const remove = subscribers.add(() => {
    told.push("first");
    remove();
    subscribers.add(() => told.push("late"));
  });
  subscribers.add(() => told.push("second"));
  subscribers.tell(stopping);
  assertEquals(told, ["first", "second"]);
  subscribers.tell(stopping);
  assertEquals(told, ["first", "second", "second", "late"]);
});

Deno.test("Subscribers.wantsEchoed is true only while somebody wants to know of messages", () => {
  const subscribers = new Subscribers();
  const wants = [subscribers.wantsEchoed];
  const note = () => wants.push(subscribers.wantsEchoed);
  const removeFailed = subscribers.add(() => {}, ["failed", "stopped"]);
  note();
  const removeEchoed = subscribers.add(() => {}, ["echoed"]);
  note();
  removeEchoed();
  note();
  const removeAll = subscribers.add(() => {});
  note();
  removeFailed();
  removeAll();
  note();
  assertEquals(wants, [false, false, true, false, true, false]);
});

Deno.test("Subscribers.tell() reports what a subscriber throws as uncaught, and tells the others", () => {
  using uncaught = new Uncaught();
  const subscribers = new Subscribers();
  const told: string[] = [];
  subscribers.add(() => {
    throw new Error("a bug of the embedder");
  });
  subscribers.add(({ type }) => told.push(type));
  subscribers.tell(stopping);
  assertEquals([told, uncaught.messages], [["stopping"], ["a bug of the embedder"]]);
});

onEachEngine(
  "Server serves on, tells others, and ends as ever when a subscriber throws at each event",
  async (engine) => {
    using uncaught = new Uncaught();
    const log = new EventLog();
    const broken = ({ type }: ServerEvent) => {
      throw new Error(`broken at ${type}`);
    };
    const server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [broken, log.add] });
    {
      using conn = await connect(server.endpoints[0]);
      for (let i = 0; i < 3; i++) await assertEchoes(conn, noise(100));
    }
    await log.nth(1, "disconnected");
    server.stop();
    await server.finished;
    const types = ["listening", "connected", "echoed", "echoed", "echoed", "disconnected", "stopping", "stopped"];
    assertEquals(log.all.map(({ type }) => type), types as typeof log.all[number]["type"][]);
    assertEquals(log.of("disconnected").map(({ how, bytes }) => [how, bytes]), [["closed", 300]]);
    assertEquals(uncaught.messages, types.map((type) => `broken at ${type}`));
  },
);

onEachEngine("Server.subscribe() tells of what happens from then on until it is ended", async (engine) => {
  const all = new EventLog(), messages = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [all.add] });
  using conn = await connect(server.endpoints[0]);
  await assertEchoes(conn, noise(1));
  await all.nth(1, "echoed");
  const unsubscribe = server.subscribe(messages.add, ["echoed"]);
  await assertEchoes(conn, noise(2));
  await messages.nth(1, "echoed");
  unsubscribe();
  await assertEchoes(conn, noise(3));
  await all.nth(3, "echoed");
  assertEquals(messages.all.map((event) => event.type === "echoed" && event.message.length), [2]);
});

onEachEngine(
  "Server.subscribe() tells of all that happens after it, and before its end, when nobody else wants to know",
  async (engine) => {
    await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine });
    using conn = await connect(server.endpoints[0]);
    for (let round = 0; round < 50; round++) {
      await assertEchoes(conn, noise(10));
      const log = new EventLog();
      const unsubscribe = server.subscribe(log.add, ["echoed"]);
      await assertEchoes(conn, noise(20));
      // A worker may just be about to tell of what the client has got already.
      await log.until(() => log.of("echoed").some(({ message }) => message.length === 20));
      unsubscribe();
      await assertEchoes(conn, noise(30));
      assertEquals(log.of("echoed").some(({ message }) => message.length === 30), false);
    }
  },
);

onEachEngine(
  "Server.subscribe() tells each thing that happened, or how much of it was left out, when little is wanted",
  async (engine) => {
    const few = new EventLog(), failures = new EventLog();
    const server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine });
    const rates = { connected: 5, echoed: 5, disconnected: 5 };
    server.subscribe(few.add, undefined, rates);
    server.subscribe(failures.add, ["failed"]);
    for (let i = 0; i < 40; i++) {
      using conn = await connect(server.endpoints[0]);
      await assertEchoes(conn, noise(10));
    }
    server.stop();
    const { connections, bytes } = await server.finished;
    assertEquals([connections, bytes], [40, 400]);
    for (const kind of ["connected", "echoed", "disconnected"] as const) {
      const omitted = few.of("omitted").filter(({ of }) => of === kind);
      const count = omitted.reduce((sum, { count }) => sum + count, 0);
      assertEquals(few.of(kind).length + count, 40, kind);
      // Only what would have to come from a worker is left out.
      if (engine === "portable") assertEquals(count, 0);
    }
    const omitted = few.of("omitted").filter(({ of }) => of === "echoed");
    assertEquals(omitted.length > 0, engine === "native");
    assertEquals(omitted.reduce((sum, { bytes }) => sum + bytes, 0), (40 - few.of("echoed").length) * 10);
    assertEquals(failures.all, []);
  },
);

onEachEngine("Server tells everything to one who wants all when another wants little", async (engine) => {
  const all = new EventLog(), few = new EventLog();
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"], engine, subscribers: [all.add] });
  server.subscribe(few.add, ["echoed"], { echoed: 1 });
  using conn = await connect(server.endpoints[0]);
  for (let i = 0; i < 30; i++) await assertEchoes(conn, noise(10));
  await all.nth(30, "echoed");
  assertEquals(all.of("omitted"), []);
  // It gets more than it asked for.
  assertEquals(few.all.length, 30);
});
