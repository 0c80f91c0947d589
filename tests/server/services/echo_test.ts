import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { echo } from "../../../server/services/echo.ts";
import { systemError } from "../../helpers/errors.ts";
import { ManualTimers } from "../../helpers/manual_timers.ts";
import { type ConnScript, ScriptedConn } from "../../helpers/scripted_conn.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Serves a scripted connection; the outcome is how it ended, or the error. */
async function run(script: ConnScript, { quit = true } = {}) {
  const conn = new ScriptedConn(script);
  const echoed: string[] = [];
  const progress = {
    busy: false,
    bytes: 0,
    answered(message: Uint8Array): void {
      assertEquals([this.busy, conn.sent.length], [false, this.bytes + message.length]);
      this.bytes += message.length;
      echoed.push(new TextDecoder().decode(message));
    },
  };
  const outcome = await echo.create({}, { quit }).serveStream(conn, progress).catch((error) => error);
  return { conn, progress, echoed, outcome };
}

Deno.test("echo.serveStream() sends what it received when chunks and partial writes are any", async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 6000, size: "max" }), {
    maxLength: 12,
    size: "max",
  });
  const writes = fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 50, size: "max" });
  await fc.assert(fc.asyncProperty(chunks, writes, async (chunks, writes) => {
    const { conn, progress, outcome } = await run({ reads: [...chunks, null], writes }, { quit: false });
    const all = chunks.flatMap((chunk) => [...chunk]);
    assertEquals(conn.sent, all);
    assertEquals([outcome, progress.bytes, progress.busy], ["closed", all.length, false]);
    assertEquals(conn.calls.at(-1), "closeWrite");
  }));
});

Deno.test("echo.serveStream() ends its half and says closed when the client ends without a byte", async () => {
  const { conn, echoed, outcome } = await run({ reads: [null] });
  assertEquals([outcome, conn.calls, echoed], ["closed", ["read 1024", "closeWrite"], []]);
});

Deno.test("echo.serveStream() writes the rest when each write takes one byte", async () => {
  const { conn, echoed } = await run({ reads: [encode("abc"), null], writes: [1, 1, 1] });
  assertEquals(conn.calls, ["read 1024", "write 3", "write 2", "write 1", "read 1024", "closeWrite"]);
  assertEquals(echoed, ["abc"]);
});

Deno.test("echo.serveStream() tells of each read once and counts it when it is wholly echoed", async () => {
  const { echoed, progress } = await run({ reads: [encode("메아"), encode("리"), null], writes: [2, 2, 2] });
  assertEquals([echoed, progress.bytes, progress.busy], [["메아", "리"], 9, false]);
});

Deno.test("echo.serveStream() grows its buffer fourfold up to 256 KiB when reads fill it, and not when they do not", async () => {
  const { conn, outcome } = await run({ reads: [new Uint8Array(600_000), new Uint8Array(9), null] });
  const sizes = conn.calls.filter((call) => call.startsWith("read")).map((call) => Number(call.split(" ")[1]));
  const largest = 256 * 1024;
  assertEquals([outcome, conn.sent.length], ["closed", 600_009]);
  assertEquals(sizes, [1024, 4096, 16_384, 65_536, largest, largest, largest, largest]);
  const quiet = await run({ reads: [new Uint8Array(1023), new Uint8Array(1023), null] });
  assertEquals(quiet.conn.calls.filter((call) => call.startsWith("read")), ["read 1024", "read 1024", "read 1024"]);
});

for (const text of ["quit", "quit\n", "quit\r\n"]) {
  Deno.test(`echo.serveStream() echoes ${JSON.stringify(text)}, ends its half and awaits the client's end when it is alone`, async () => {
    const { conn, echoed, outcome } = await run({ reads: [encode("hi"), encode(text), encode("late"), null] });
    assertEquals([outcome, echoed], ["quit", ["hi", text]]);
    const end = ["read 1024", `write ${text.length}`, "closeWrite", "read 1024", "read 1024"];
    assertEquals(conn.calls, ["read 1024", "write 2", ...end]);
  });
}

Deno.test("echo.serveStream() goes on when quit is not alone in a read", async () => {
  for (const text of ["quit ", "quit!\n", "Quit\n", "qui", "quit\r", "quit\n\n", "hi quit\n", "quit\nquit\n"]) {
    const { echoed, outcome } = await run({ reads: [encode(text), encode("more"), null] });
    assertEquals([outcome, echoed], ["closed", [text, "more"]]);
  }
  const { echoed, outcome } = await run({ reads: [encode("qu"), encode("it"), null] });
  assertEquals([outcome, echoed], ["closed", ["qu", "it"]]);
});

Deno.test("echo.serveStream() takes quit as plain data when quit is off", async () => {
  const { echoed, outcome } = await run({ reads: [encode("quit\n"), encode("more"), null] }, { quit: false });
  assertEquals([outcome, echoed], ["closed", ["quit\n", "more"]]);
});

Deno.test("echo.serveStream() closes the connection after a second when a client that said quit stays", async () => {
  using timers = new ManualTimers();
  const conn = new ScriptedConn({ reads: [encode("quit"), encode("still here")] });
  const serving = echo.create({}, { quit: true }).serveStream(conn, { busy: false, answered: () => {} });
  while (conn.calls.length < 5) await Promise.resolve();
  const waiting = ["read 1024", "write 4", "closeWrite", "read 1024", "read 1024"];
  timers.advance(999);
  assertEquals([conn.calls, timers.pending], [waiting, 1]);
  timers.advance(1);
  assertEquals([await serving, conn.calls, timers.pending], ["quit", [...waiting, "close"], 0]);
});

Deno.test("echo.serveStream() throws nothing from its timer when the connection was closed meanwhile", async () => {
  using timers = new ManualTimers();
  const conn = new ScriptedConn({ reads: [encode("quit")] });
  const close = conn.close.bind(conn);
  conn.close = () => {
    close();
    throw new Deno.errors.BadResource("Bad resource ID");
  };
  const serving = echo.create({}, { quit: true }).serveStream(conn, { busy: false, answered: () => {} });
  while (timers.pending === 0) await Promise.resolve();
  timers.advance(1000);
  assertEquals(await serving, "quit");
});

Deno.test("echo.serveStream() leaves no timer when a client that said quit ends or resets", async () => {
  for (const last of [null, systemError("ECONNRESET")]) {
    using timers = new ManualTimers();
    const { conn, outcome } = await run({ reads: [encode("quit"), last] });
    assertEquals([outcome, timers.pending, conn.calls.includes("close")], ["quit", 0, false]);
  }
});

Deno.test("echo.serveStream() throws the system's error when reading fails", async () => {
  const error = systemError("ECONNRESET");
  for (const before of [[], [encode("a")], [encode("a"), encode("b")]]) {
    const { conn, echoed, outcome } = await run({ reads: [...before, error] });
    assertEquals([outcome === error, echoed.length, conn.calls.includes("closeWrite")], [true, before.length, false]);
  }
});

Deno.test("echo.serveStream() throws the system's error and counts nothing of that read when writing fails midway", async () => {
  const error = systemError("EPIPE");
  for (const taken of [[], [1], [1, 2]]) {
    const { progress, echoed, outcome } = await run({
      reads: [encode("ok"), encode("메아리"), null],
      writes: [2, ...taken, error],
    });
    assertEquals([outcome === error, echoed, progress.bytes, progress.busy], [true, ["ok"], 2, true]);
  }
});

Deno.test("echo.serveStream() still says how it ended when closeWrite fails because the client has gone", async () => {
  const closeWrite = systemError("ENOTCONN");
  assertEquals((await run({ reads: [encode("a"), null], closeWrite })).outcome, "closed");
  assertEquals((await run({ reads: [encode("quit"), null], closeWrite })).outcome, "quit");
});

Deno.test("echo.serveStream() lets quit end no conversation when its endpoint says no-quit", async () => {
  const conn = new ScriptedConn({ reads: [encode("quit"), encode("more"), null] });
  const service = echo.create({ "no-quit": true }, { quit: true });
  assertEquals(await service.serveStream(conn, { busy: false, answered: () => {} }), "closed");
});

Deno.test("echo.answer() returns the message, and echo.isLast() tells whether it is quit alone", () => {
  const service = echo.create({}, { quit: true });
  for (const [text, last] of [["", false], ["quit", true], ["quit\r\n", true], ["quit!", false]] as const) {
    const message = encode(text);
    assertEquals([service.answer(message) === message, service.isLast(message)], [true, last]);
  }
  assertEquals(echo.create({}, { quit: false }).isLast(encode("quit")), false);
  assertEquals(echo.create({ "no-quit": true }, { quit: true }).isLast(encode("quit")), false);
});

Deno.test("ScriptedConn fails the test when an echo reads ahead of its writes", async () => {
  const conn = new ScriptedConn({ reads: [encode("a"), encode("b")] });
  await conn.read(new Uint8Array(9));
  await assertRejects(() => conn.read(new Uint8Array(9)), Error, "read ahead of the writes");
});

Deno.test("echo.serveStream() serves every connection once before any twice when they are many and new reads go first", async () => {
  const loop = new BusyLoop(128);
  const conns = Array.from({ length: 1000 }, () => new FloodingConn(loop));
  const progress = { busy: false, answered() {} };
  const service = echo.create({}, { quit: false });
  const served = conns.map((conn) => service.serveStream(conn, progress));
  await loop.run(() => conns.some(({ answers }) => answers > 1));
  const without = conns.filter(({ answers }) => answers === 0).length;
  for (const conn of conns) conn.close();
  await loop.run(() => conns.every(({ ended }) => ended));
  await Promise.all(served);
  assertEquals(without, 0);
});

/** An event loop as Deno's is when it has much to do: it completes so many reads a turn, the newest first. */
class BusyLoop {
  #budget: number;
  #ready: (() => void)[] = [];

  constructor(budget: number) {
    this.#budget = budget;
  }

  ready(complete: () => void): void {
    this.#ready.push(complete);
  }

  /** Turns until it is told to stop. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      for (const complete of this.#ready.splice(-this.#budget)) complete();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

/** A connection whose client always has a message to send, until it is closed. */
class FloodingConn extends ScriptedConn {
  answers = 0;
  ended = false;
  #loop: BusyLoop;
  #closing = false;

  constructor(loop: BusyLoop) {
    super();
    this.#loop = loop;
  }

  override read(): Promise<number | null> {
    return new Promise((resolve) => this.#loop.ready(() => resolve(this.#closing ? null : 64)));
  }

  override write(bytes: Uint8Array): Promise<number> {
    this.answers++;
    return Promise.resolve(bytes.length);
  }

  override closeWrite(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  override close(): void {
    this.#closing = true;
  }
}
