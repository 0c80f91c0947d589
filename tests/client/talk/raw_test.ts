import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type RawResult, runRaw } from "../../../client/talk/raw.ts";
import { connectStream } from "../../../lib/transport/mod.ts";
import { EchoError, MeariError } from "../../../lib/errors.ts";
import { startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { ChunkSource } from "../../helpers/chunk_source.ts";
import { EchoConn, type EchoScript } from "../../helpers/echo_conn.ts";
import { systemError } from "../../helpers/errors.ts";
import { startResettingServer } from "../../helpers/resetting_server.ts";
import { ScriptedServer } from "../../helpers/scripted_server.ts";
import { assertSameBytes, noise, readBytes } from "../../helpers/streams.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Runs raw mode; returns its counts and what it wrote. */
async function run(
  conn: EchoConn | Awaited<ReturnType<typeof connectStream>>,
  input: ChunkSource,
  { verify = true, timeout = 10_000 } = {},
): Promise<RawResult & { output: Uint8Array }> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const write = (bytes: Uint8Array) => {
    parts.push(bytes.slice());
    return Promise.resolve();
  };
  try {
    const result = await runRaw(conn, input, { verify, timeout, write });
    return { ...result, output: await new Blob(parts).bytes() };
  } finally {
    conn.close();
  }
}

/** Runs raw mode against a scripted server; returns what it complains of. */
async function complaint(script: EchoScript, text: string, about: { verify?: boolean; timeout?: number } = {}) {
  const source = new ChunkSource([encode(text)]);
  const error = await assertRejects(() => run(new EchoConn(script), source, about), EchoError);
  assertEquals(error.exitCode, 3);
  return error.message;
}

bounded("runRaw() returns every byte in order however input, writes and reads are cut", async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 });
  const steps = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(chunks, steps, fc.boolean(), async (chunks, steps, verify) => {
      const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
      let turn = 0;
      const conn = new EchoConn({ step: () => steps[turn++ % steps.length]! });
      const { sent, received, output } = await run(conn, new ChunkSource(chunks), { verify });
      assertEquals([sent, received], [whole.length, whole.length]);
      assertSameBytes(output, whole);
      assertEquals(conn.halfClosed, true);
    }),
    { numRuns: 500 },
  );
});

bounded("runRaw() returns every byte of a long stream when it goes through our server", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  for (const verify of [false, true]) {
    const conn = await connectStream(server.endpoints[0]!, { timeout: 5000 });
    const bytes = noise(20_000_000);
    const { output } = await run(conn, new ChunkSource([bytes]), { verify });
    assertSameBytes(output, bytes);
  }
});

bounded("runRaw() gives what came back before the input has ended", async () => {
  const source = new ChunkSource([encode("one")]);
  source.open = true;
  let output = "";
  const result = await runRaw(new EchoConn(), source, {
    verify: true,
    timeout: 10_000,
    write: (bytes) => {
      output += new TextDecoder().decode(bytes);
      if (output === "one") source.push(encode("two"));
      if (output === "onetwo") source.end();
      return Promise.resolve();
    },
  });
  assertEquals([output, result], ["onetwo", { sent: 6, received: 6 }]);
});

bounded("runRaw() finds a changed byte and names its place when told to verify", async () => {
  for (const place of [0, 1, 4999, 5000, 9999]) {
    const change = (bytes: Uint8Array, offset: number) =>
      bytes.map((byte, i) => offset + i === place ? byte ^ 1 : byte);
    const script = { answer: change, step: () => 700 };
    assertEquals(await complaint(script, "x".repeat(10_000)), `what came back differs at byte ${place + 1}`);
  }
});

bounded("runRaw() counts only when not told to verify", async () => {
  const script = { answer: (bytes: Uint8Array) => bytes.toReversed() };
  const { output } = await run(new EchoConn(script), new ChunkSource([encode("abc")]), { verify: false });
  assertEquals(output, encode("cba"));
});

bounded("runRaw() fails when more comes back than was sent", async () => {
  const script = { trailing: encode("!!") };
  assertEquals(await complaint(script, "abc"), "more came back than was sent: byte 4");
  const tally = "not what was sent came back: 3 bytes sent, 5 came back";
  assertEquals(await complaint(script, "abc", { verify: false }), tally);
});

bounded("runRaw() fails when less comes back than was sent", async () => {
  const script = { answer: (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1) };
  for (const verify of [false, true]) {
    assertEquals(
      await complaint(script, "abc", { verify }),
      "not what was sent came back: 3 bytes sent, 2 came back",
    );
  }
});

bounded("runRaw() fails when the server closes before the input has ended", async () => {
  const source = new ChunkSource([encode("abc")]);
  source.open = true;
  const running = run(new EchoConn({ closesAfter: 3 }), source);
  const error = await assertRejects(() => running, EchoError);
  assertEquals(
    error.message,
    "the server closed the connection before the input ended: 3 bytes sent, 3 came back",
  );
  source.end();
});

bounded("runRaw() succeeds when all came back and the server merely keeps its side open", async () => {
  const conn = new EchoConn({ keepsOpen: true });
  const { sent, received } = await run(conn, new ChunkSource([encode("abc")]), { timeout: 100 });
  assertEquals([sent, received], [3, 3]);
});

bounded("runRaw() fails when the server keeps its side open and owes something", async () => {
  const script = { keepsOpen: true, answer: (bytes: Uint8Array) => bytes.subarray(0, -1) };
  assertEquals(
    await complaint(script, "abc", { timeout: 100 }),
    "nothing more came back for 100ms: 3 bytes sent, 2 came back",
  );
  assertEquals(
    await complaint(script, "a", { timeout: 100 }),
    "nothing more came back for 100ms: 1 byte sent, 0 came back",
  );
});

bounded("runRaw() fails when the server takes nothing more", async () => {
  const script = { step: () => 1, answer: () => new Uint8Array(0) };
  let taken = 0;
  const conn = new EchoConn(script);
  const write = conn.write.bind(conn);
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  conn.write = (bytes) => taken++ < 2 ? write(bytes) : over.promise;
  const error = await assertRejects(() => run(conn, new ChunkSource([encode("abc")]), { timeout: 100 }), EchoError);
  assertEquals(error.message, "the server took nothing more for 100ms: 2 bytes sent, 0 came back");
  over.reject(new Error("closed"));
});

bounded("runRaw() ends at once when its signal says so, also where bytes are owed", async () => {
  const source = new ChunkSource([encode("abc")]);
  source.open = true;
  const conn = new EchoConn({ answer: () => new Uint8Array(0) });
  const abort = new AbortController();
  const write = () => Promise.resolve();
  const running = runRaw(conn, source, { verify: true, timeout: 3_600_000, write, signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  const error = await assertRejects(() => running, DOMException);
  assertEquals(error.name, "AbortError");
  conn.close();
  source.end();
});

bounded("runRaw() waits as long as it must for an input that is slow", async () => {
  const source = new ChunkSource([encode("abc")]);
  source.open = true;
  // Several times what the server is given.
  setTimeout(() => source.end(), 250);
  assertEquals((await run(new EchoConn(), source, { timeout: 50 })).received, 3);
});

bounded("runRaw() waits as long as it must for an output that is slow", async () => {
  let written = 0;
  const result = await runRaw(new EchoConn({ step: () => 2 }), new ChunkSource([encode("abcd")]), {
    verify: true,
    timeout: 50,
    write: async (bytes) => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      written += bytes.length;
    },
  });
  assertEquals([written, result.received], [4, 4]);
});

bounded("runRaw() ends with the error of an output that fails", async () => {
  const full = new MeariError("no space");
  const running = runRaw(new EchoConn(), new ChunkSource([encode("abc")]), {
    verify: false,
    timeout: 10_000,
    write: () => Promise.reject(full),
  });
  assertEquals(await assertRejects(() => running, MeariError), full);
});

bounded("runRaw() ends with the error of an input that fails", async () => {
  const source = new ChunkSource([]);
  source.read = () => Promise.reject(systemError("EISDIR"));
  const error = await assertRejects(() => run(new EchoConn(), source), MeariError);
  assertEquals([error.message, error.exitCode], ["cannot read the input: it is a directory", 1]);
});

bounded("runRaw() says what came back when the server resets the connection", async () => {
  await using server = await startResettingServer();
  const conn = await connectStream(server.endpoint, { timeout: 5000 });
  const source = new ChunkSource([encode("first")]);
  source.open = true;
  let output = "";
  const running = runRaw(conn, source, {
    verify: true,
    timeout: 10_000,
    write: (bytes) => {
      output += new TextDecoder().decode(bytes);
      if (output === "first") source.push(encode("abc"));
      return Promise.resolve();
    },
  });
  const error = await assertRejects(() => running, EchoError);
  assertEquals(error.message, "connection reset by the peer: 8 bytes sent, 5 came back");
  conn.close();
  source.end();
});

bounded("runRaw() tells what came back when a real server closes early", async () => {
  await using server = new ScriptedServer(async (conn) => {
    await conn.write(await readBytes(conn, 3));
  });
  const conn = await connectStream(server.endpoint, { timeout: 5000 });
  const source = new ChunkSource([encode("abc")]);
  source.open = true;
  const error = await assertRejects(() => run(conn, source), EchoError);
  assert(error.message.startsWith("the server closed the connection before the input ended"), error.message);
  source.end();
});
