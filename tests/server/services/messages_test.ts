import { assertEquals, assertRejects } from "@std/assert";
import type { Address, Listener, MessageConn } from "../../../lib/transport/mod.ts";
import { serveMessages } from "../../../server/services/messages.ts";
import { startServer } from "../../../server/mod.ts";
import { echo } from "../../../server/services/echo.ts";
import { bounded } from "../../helpers/bounded.ts";
import { systemError } from "../../helpers/errors.ts";
import { EventLog } from "../../helpers/event_log.ts";
import { ownTransport } from "../../helpers/own_transport.ts";
import { silentService } from "../../helpers/silent_service.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A conversation that follows a script, and fails a test that receives before it has answered. */
class ScriptedMessages implements MessageConn {
  readonly localAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 7 };
  readonly remoteAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 };
  readonly sent: string[] = [];
  sendError: Error | undefined;
  closed = false;
  #receives: (Uint8Array | null | Error)[];
  #owed = false;

  constructor(...receives: (Uint8Array | null | Error)[]) {
    this.#receives = receives;
  }

  async receive(buffer: Uint8Array): Promise<Uint8Array | null> {
    assertEquals(this.#owed, false, "received ahead of the answer");
    await Promise.resolve();
    const step = this.#receives.shift();
    if (step === undefined) throw new Error("received after the end");
    if (step instanceof Error) throw step;
    if (step === null) return null;
    this.#owed = true;
    const given = step.subarray(0, buffer.length);
    buffer.set(given);
    return buffer.subarray(0, given.length);
  }

  async send(message: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.sendError) throw this.sendError;
    this.sent.push(new TextDecoder().decode(message));
    this.#owed = false;
  }

  close(): void {
    this.closed = true;
  }
}

/** Serves a scripted conversation; the outcome is how it ended, or the error. */
async function run(conn: ScriptedMessages, quit = true) {
  const told: string[] = [];
  const progress = {
    busy: false,
    answered(message: Uint8Array): void {
      assertEquals([this.busy, conn.sent.length], [false, told.length + 1]);
      told.push(new TextDecoder().decode(message));
    },
  };
  const outcome = await serveMessages(conn, echo.create({}, { quit }), progress).catch((error) => error);
  assertEquals(conn.closed, false, "closed by another than the caller");
  return { told, outcome, progress, sent: conn.sent };
}

Deno.test("serveMessages() answers each message, empty ones included, and counts it when it is answered", async () => {
  const { told, outcome, sent, progress } = await run(
    new ScriptedMessages(encode("메아리"), encode(""), encode("b"), null),
  );
  assertEquals([outcome, told, sent, progress.busy], ["closed", ["메아리", "", "b"], ["메아리", "", "b"], false]);
});

Deno.test("serveMessages() ends with the answer to quit when that ends conversations, else goes on", async () => {
  const script = () => new ScriptedMessages(encode("quit"), encode("more"), null);
  assertEquals(await run(script()).then(({ outcome, sent }) => [outcome, sent]), ["quit", ["quit"]]);
  assertEquals(await run(script(), false).then(({ outcome, sent }) => [outcome, sent]), ["closed", ["quit", "more"]]);
});

Deno.test("serveMessages() sends nothing when its service answers nothing, and counts what came", async () => {
  const received = [encode("a"), encode("bc"), null];
  const sent: Uint8Array[] = [];
  const told: Uint8Array[] = [];
  const conn: MessageConn = {
    localAddr: { transport: "tcp", hostname: "127.0.0.1", port: 7 },
    remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
    receive: () => Promise.resolve(received.shift()!),
    send: (message) => Promise.resolve(void sent.push(message)),
    close: () => {},
  };
  const progress = { busy: false, answered: (message: Uint8Array) => void told.push(message) };
  assertEquals(await serveMessages(conn, silentService, progress), "closed");
  assertEquals([sent, told], [[], [encode("a"), encode("bc")]]);
});

Deno.test("serveMessages() takes messages of up to 256 KiB", async () => {
  const { sent } = await run(new ScriptedMessages(encode("x".repeat(256 * 1024)), null));
  assertEquals(sent.map(({ length }) => length), [256 * 1024]);
});

Deno.test("serveMessages() throws the system's error when the connection breaks, and counts nothing of that", async () => {
  const error = systemError("ECONNRESET");
  const receiving = await run(new ScriptedMessages(encode("a"), error));
  assertEquals([receiving.outcome === error, receiving.told, receiving.progress.busy], [true, ["a"], false]);
  const conn = new ScriptedMessages(encode("a"));
  conn.sendError = error;
  const sending = await run(conn);
  assertEquals([sending.outcome === error, sending.told, sending.progress.busy], [true, [], true]);
});

bounded("startServer() serves conversations in whole messages, and tells of them as of others", async () => {
  const conn = new ScriptedMessages(encode("메아리"), encode(""), encode("quit"));
  const accepted = [conn];
  const closed = Promise.withResolvers<MessageConn>();
  const listener: Listener<MessageConn> = {
    addr: conn.localAddr,
    accept: async () => accepted.shift() ?? await closed.promise,
    close: () => closed.reject(new Deno.errors.BadResource("closed")),
  };
  const connect = () => Promise.reject(new Error("nobody connects to it"));
  using _ = ownTransport("own", {
    kind: "message",
    form: "inet",
    help: "",
    largestMessage: 9,
    listen: () => listener,
    connect,
  });
  const log = new EventLog();
  const server = await startServer({
    endpoints: [{ transport: "own", host: "127.0.0.1", port: 7 }],
    subscribers: [log.add],
  });
  const { how, messages, bytes } = await log.nth(1, "disconnected");
  assertEquals([how, messages, bytes, conn.closed], ["quit", 3, 13, true]);
  assertEquals(log.of("echoed").map(({ connection, offset }) => [connection, offset]), [[1, 0], [1, 9], [1, 9]]);
  server.stop();
  const { connections, messages: all } = await server.finished;
  assertEquals([connections, all], [1, 3]);
});

Deno.test("ScriptedMessages fails the test when a server receives ahead of its answer", async () => {
  const conn = new ScriptedMessages(encode("a"), encode("b"));
  await conn.receive(new Uint8Array(9));
  await assertRejects(() => conn.receive(new Uint8Array(9)), Error, "received ahead of the answer");
});
