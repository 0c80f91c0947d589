import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Address, Endpoint } from "../../lib/transport/mod.ts";
import { DatagramServer } from "../../server/datagrams.ts";
import { type EventType, Subscribers } from "../../server/events.ts";
import { DatagramGuard } from "../../server/guard/datagram_guard.ts";
import { echo } from "../../server/services/echo.ts";
import type { Service } from "../../server/services/service.ts";
import { systemError } from "../helpers/errors.ts";
import { EventLog } from "../helpers/event_log.ts";
import { ManualTimers } from "../helpers/manual_timers.ts";
import { CLIENT, ScriptedSocket, type SocketScript } from "../helpers/scripted_socket.ts";
import { silentService } from "../helpers/silent_service.ts";

const endpoint: Endpoint = { transport: "udp", host: "127.0.0.1", port: 65_456 };
const unnamed: Address = { transport: "unixpacket", path: null };

/** Serves a scripted socket; `told` is what happened, in order. */
function serve(
  script: SocketScript,
  { onAnswered, types, service = echo.create({}, { quit: true }) }: {
    onAnswered?: () => void;
    types?: readonly EventType[];
    service?: Service;
  } = {},
) {
  const socket = new ScriptedSocket({ atEnd: () => server.close(), ...script });
  const log = new EventLog();
  const subscribers = new Subscribers();
  subscribers.add(log.add, types);
  const guard = new DatagramGuard([socket.addr]);
  const server = new DatagramServer(socket, { endpoint, service, guard, subscribers, onAnswered });
  const told = () =>
    log.all.map((event) => {
      switch (event.type) {
        case "echoed":
          return `echoed ${event.message.length}`;
        case "failed":
          return `${event.operation} ${event.cause}${event.peer === undefined ? "" : " client"}`;
        case "refused":
          return `refused ${event.reason}`;
        default:
          throw new Error(`it told ${event.type}`);
      }
    });
  return { server, socket, log, told };
}

/** Serves a scripted socket to the end of its script. */
async function run(script: SocketScript) {
  const served = serve(script);
  await served.server.run();
  return served;
}

const sized = (...lengths: number[]) => lengths.map((length) => new Uint8Array(length));

Deno.test("DatagramServer sends each datagram back unchanged to its sender when they are any", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2000, size: "max" })), async (datagrams) => {
    const { server, socket, log } = await run({ receives: datagrams });
    assertEquals(socket.sent, datagrams.map((bytes) => [[...bytes], CLIENT]));
    assertEquals(
      log.of("echoed").map(({ message, peer, connection, offset }) => [[...message], peer, connection, offset]),
      datagrams.map((bytes) => [[...bytes], CLIENT, undefined, 0]),
    );
    const bytes = datagrams.reduce((sum, { length }) => sum + length, 0);
    assertEquals([server.answered, server.busy], [{ messages: datagrams.length, bytes }, false]);
  }));
});

Deno.test("DatagramServer sends nothing when its service answers nothing, and counts what came", async () => {
  const { server, socket } = serve({ receives: sized(3, 0) }, { service: silentService });
  await server.run();
  assertEquals([socket.sent, server.answered], [[], { messages: 2, bytes: 3 }]);
});

Deno.test("DatagramServer has room for the largest datagram there is when one comes", async () => {
  const { told } = await run({ receives: [new Uint8Array(65_527).fill(7)] });
  assertEquals(told(), ["echoed 65527"]);
});

Deno.test("DatagramServer stops when it is closed by whoever is told of an answer", async () => {
  const served = serve({ receives: sized(1, 2, 3) }, {
    onAnswered: () => {
      if (served.server.answered.messages === 2) served.server.close();
    },
  });
  await served.server.run();
  assertEquals([served.told(), served.server.closed], [["echoed 1", "echoed 2"], true]);
});

Deno.test("DatagramServer tells whom it could not answer and goes on when a send fails", async () => {
  const { server, socket, told } = await run({
    receives: sized(1, 2, 3),
    sends: [undefined, systemError("ECONNREFUSED"), undefined],
  });
  assertEquals(told(), ["echoed 1", "send connection refused client", "echoed 3"]);
  assertEquals([socket.sent.map(([bytes]) => bytes.length), server.busy], [[1, 3], false]);
  assertEquals(server.answered, { messages: 2, bytes: 4 });
});

Deno.test("DatagramServer tells of it and goes on when a receive fails", async () => {
  const [first, second] = sized(1, 2);
  const { told } = await run({ receives: [systemError("ENOBUFS"), first!, systemError("EPERM"), second!] });
  assertEquals(told(), ["receive no buffer space", "echoed 1", "receive operation not permitted", "echoed 2"]);
});

Deno.test("DatagramServer waits longer after each failed receive, and as briefly as at first after a success", async () => {
  using timers = new ManualTimers();
  const failure = systemError("ENOBUFS");
  const { server, told } = serve({ receives: [failure, failure, new Uint8Array(1), failure, new Uint8Array(2)] });
  const running = server.run();
  const after = async (milliseconds: number) => {
    timers.advance(milliseconds);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    return told().length;
  };
  assertEquals([await after(0), await after(4), await after(1), await after(9)], [1, 1, 2, 2]);
  // The second datagram's failure follows the first's success.
  assertEquals([await after(1), await after(4), await after(1)], [4, 4, 5]);
  await running;
  assertEquals(timers.pending, 0);
});

Deno.test("DatagramServer ends at once and without a word when it is closed while it waits after a failure", async () => {
  using timers = new ManualTimers();
  const { server, told } = serve({ receives: [systemError("ENOBUFS"), new Uint8Array(1)] });
  const running = server.run();
  while (timers.pending === 0) await Promise.resolve();
  server.close();
  await running;
  assertEquals([told(), timers.pending], [["receive no buffer space"], 0]);
});

Deno.test("DatagramServer ends without a word when it is closed between receive and send", async () => {
  const waiting = Promise.withResolvers<void>();
  const { server, told } = serve({ receives: sized(1), sends: [waiting.promise] });
  const running = server.run();
  while (!server.busy) await Promise.resolve();
  server.close();
  server.close();
  waiting.resolve();
  await running;
  assertEquals([told(), server.answered.messages, server.busy], [[], 0, false]);
});

Deno.test("DatagramServer counts and tells what it refuses, sends nothing there, and answers others", async () => {
  const receives: SocketScript["receives"] = [
    [new Uint8Array(1), { transport: "udp", hostname: "127.0.0.1", port: 0 }],
    [new Uint8Array(2), unnamed],
    new Uint8Array(3),
    [new Uint8Array(4), { transport: "udp", hostname: "127.0.0.1", port: 65_456 }],
  ];
  const { server, socket, told, log } = await run({ receives });
  assertEquals(told(), [
    "refused no return address",
    "refused no return address",
    "echoed 3",
    "refused own address",
  ]);
  assertEquals(log.of("refused")[1], { type: "refused", endpoint, peer: unnamed, reason: "no return address" });
  assertEquals(socket.sent.map(([bytes]) => bytes.length), [3]);
  assertEquals([...server.refused], [["no return address", 2], ["own address", 1]]);
  assertEquals(server.answered, { messages: 1, bytes: 3 });
});

Deno.test("DatagramServer refuses rather than fails when a peer does not read", async () => {
  const { server, told } = await run({ receives: sized(1, 2), sends: [systemError("EAGAIN")] });
  assertEquals([told(), [...server.refused]], [["refused peer does not read", "echoed 2"], [[
    "peer does not read",
    1,
  ]]]);
});

Deno.test("DatagramServer makes no event of a message when nobody wants to know of any", async () => {
  const { server, log } = serve({ receives: [...sized(1), systemError("ENOBUFS")] }, { types: ["failed"] });
  await server.run();
  assertEquals([log.all.map(({ type }) => type), server.answered.messages], [["failed"], 1]);
});
