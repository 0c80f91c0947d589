import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { connectPeer } from "../../../client/talk/connect_peer.ts";
import type { LateEcho } from "../../../client/talk/peer.ts";
import { formatEndpoint } from "../../../lib/endpoint.ts";
import { MeariError } from "../../../lib/errors.ts";
import { startServer } from "../../../server/mod.ts";
import { bounded, within } from "../../helpers/bounded.ts";
import { freeTcpPort } from "../../helpers/free_port.ts";
import { fullListener } from "../../helpers/full_listener.ts";
import { startResettingServer } from "../../helpers/resetting_server.ts";
import { ScriptedServer } from "../../helpers/scripted_server.ts";
import { assertSameBytes, noise, readBytes, readToEnd, writeAll } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const options = { timeout: 10_000, retries: 0 };
const hasty = { timeout: 100, retries: 0 };

/** A server that reads so many bytes of a message, then does something. */
function afterBytes(length: number, serve: (conn: Deno.TcpConn, message: Uint8Array) => Promise<unknown>) {
  return new ScriptedServer(async (conn) => {
    await serve(conn, await readBytes(conn, length));
  });
}

bounded("StreamPeer.exchange() returns what was sent, message by message", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  await using peer = await connectPeer(server.endpoints[0]!, options);
  for (const text of ["a", "메아리", "quit it", "a".repeat(1000)]) {
    assertEquals(await peer.exchange(encode(text)), { bytes: encode(text) });
  }
  assertEquals(peer.surplus, 0);
});

bounded("StreamPeer.exchange() returns any bytes when they go through a Unix socket", async () => {
  using folder = new TempFolder();
  await using server = await startServer({ endpoints: [`unix://${folder.file("s.sock")}`], quit: false });
  await using peer = await connectPeer(server.endpoints[0]!, options);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 5000 }), async (bytes) => {
      const echo = await peer.exchange(bytes);
      assertSameBytes(echo.bytes, bytes);
      assertEquals(echo.missing, undefined);
    }),
    { endOnFailure: true },
  );
}, { ignore: Deno.build.os === "windows" });

bounded("StreamPeer.exchange() is done only when as many bytes came back as went out", async () => {
  await using server = afterBytes(9, async (conn, message) => {
    for (const byte of message) {
      await writeAll(conn, Uint8Array.of(byte));
      // Lets the byte go its way alone.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await readToEnd(conn);
  });
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("메아리")), { bytes: encode("메아리") });
});

bounded("StreamPeer.exchange() sends and receives at once when a message fits no buffer", async () => {
  await using server = await startServer({ endpoints: ["tcp://127.0.0.1:0"] });
  await using peer = await connectPeer(server.endpoints[0]!, options);
  const message = noise(30_000_000);
  const { bytes, missing } = await peer.exchange(message);
  assertEquals(missing, undefined);
  assertSameBytes(bytes, message);
});

bounded("StreamPeer.exchange() sends nothing when the message is empty", async () => {
  await using server = afterBytes(1, async (conn, message) => {
    await writeAll(conn, message);
    await readToEnd(conn);
  });
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("")), { bytes: encode("") });
  assertEquals(await peer.exchange(encode("a")), { bytes: encode("a") });
});

bounded("StreamPeer.exchange() returns what came when the server changes a byte", async () => {
  await using server = afterBytes(3, async (conn, message) => {
    await writeAll(conn, message.with(1, 0x2a));
    await readToEnd(conn);
  });
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("a*c") });
});

bounded("StreamPeer.exchange() says that nothing came in time when the server never answers", async () => {
  await using server = new ScriptedServer(async (conn) => void await readToEnd(conn));
  await using peer = await connectPeer(server.endpoint, hasty);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode(""), missing: "no echo within 100ms" });
});

bounded("StreamPeer.exchange() returns the part that came when the server stops in between", async () => {
  await using server = afterBytes(3, async (conn) => {
    await writeAll(conn, encode("ab"));
    await readToEnd(conn);
  });
  await using peer = await connectPeer(server.endpoint, hasty);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("ab"), missing: "no echo within 100ms" });
});

bounded("StreamPeer.exchange() returns the part that came when the server closes early", async () => {
  await using server = afterBytes(3, (conn) => writeAll(conn, encode("ab")));
  await using peer = await connectPeer(server.endpoint, options);
  const closed = "the server closed the connection";
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("ab"), missing: closed, ended: true });
  assertEquals(await peer.exchange(encode("next")), { bytes: encode(""), missing: closed, ended: true });
});

bounded("StreamPeer.exchange() names the reset when the server resets the connection", async () => {
  await using server = await startResettingServer();
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("first")), { bytes: encode("first") });
  const reset = "connection reset by the peer";
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode(""), missing: reset, ended: true });
  assertEquals(await peer.ended, reset);
});

/** Collects what is late, as text. */
function collectLate() {
  const late: string[] = [];
  return { late, onLate: ({ message, bytes }: LateEcho) => late.push(`${decode(message)} ${decode(bytes)}`) };
}

bounded("StreamPeer.exchange() takes late bytes for those of the earlier message that they belong to", async () => {
  // The rest of one comes with the beginning of two, and two does not come at once either.
  await using server = afterBytes(6, async (conn) => {
    await writeAll(conn, encode("onetw"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await writeAll(conn, encode("o"));
    await writeAll(conn, await readBytes(conn, 5));
    await readToEnd(conn);
  });
  const { late, onLate } = collectLate();
  await using peer = await connectPeer(server.endpoint, { ...hasty, onLate });
  assertEquals(await peer.exchange(encode("one")), { bytes: encode(""), missing: "no echo within 100ms" });
  assertEquals(await peer.exchange(encode("two")), { bytes: encode("two") });
  assertEquals(late, ["one one"]);
  assertEquals(await peer.exchange(encode("three")), { bytes: encode("three") });
  assertEquals([late, peer.surplus], [["one one"], 0]);
});

bounded("StreamPeer.exchange() finds each echo of several that are late, and what differs in them", async () => {
  await using server = afterBytes(9, async (conn, message) => {
    await writeAll(conn, message.with(1, 0x2a));
    await readToEnd(conn);
  });
  const { late, onLate } = collectLate();
  await using peer = await connectPeer(server.endpoint, { ...hasty, onLate });
  assertEquals((await peer.exchange(encode("abc"))).bytes, encode(""));
  assertEquals((await peer.exchange(encode("def"))).bytes, encode(""));
  assertEquals(await peer.exchange(encode("ghi")), { bytes: encode("ghi") });
  assertEquals([late, peer.surplus], [["abc a*c", "def def"], 0]);
});

bounded("StreamPeer tells of a late echo also where nothing more is sent", async () => {
  const given = Promise.withResolvers<void>();
  await using server = afterBytes(3, async (conn, message) => {
    await writeAll(conn, message.subarray(0, 1));
    await given.promise;
    await writeAll(conn, message.subarray(1));
    await readToEnd(conn);
  });
  const come = Promise.withResolvers<LateEcho>();
  await using peer = await connectPeer(server.endpoint, { ...hasty, onLate: come.resolve });
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("a"), missing: "no echo within 100ms" });
  given.resolve();
  // With the part that came in time.
  assertEquals(await come.promise, { message: encode("abc"), bytes: encode("abc") });
});

bounded(
  "StreamPeer.exchange() sends a message whole before the next, also where nobody waits for it any more",
  async () => {
    const long = noise(20_000_000);
    const given = Promise.withResolvers<void>();
    await using server = new ScriptedServer(async (conn) => {
      await given.promise;
      await writeAll(conn, await readBytes(conn, long.length + 3));
      await readToEnd(conn);
    });
    let late: LateEcho | undefined;
    await using peer = await connectPeer(server.endpoint, { timeout: 1000, retries: 0, onLate: (echo) => late = echo });
    assertEquals((await peer.exchange(long)).missing, "no echo within 1s");
    given.resolve();
    assertEquals(await peer.exchange(encode("end")), { bytes: encode("end") });
    assert(late !== undefined);
    assertSameBytes(late.bytes, long);
  },
);

bounded("StreamPeer.exchange() ends at once when its signal says so, and sends nothing more", async () => {
  const seen = Promise.withResolvers<string>();
  await using server = new ScriptedServer(async (conn) => seen.resolve(decode(await readToEnd(conn))));
  const abort = new AbortController();
  {
    const bounds = { timeout: 3_600_000, retries: 0, signal: abort.signal };
    await using peer = await connectPeer(server.endpoint, bounds);
    const exchanging = peer.exchange(encode("a"));
    abort.abort(new Error("stop"));
    await assertRejects(() => exchanging, Error, "stop");
    await assertRejects(() => peer.exchange(encode("b")), Error, "stop");
  }
  assertEquals(await seen.promise, "a");
});

bounded("StreamPeer.surplus counts what nobody asked for, and onSurplus is told of it", async () => {
  await using server = afterBytes(3, async (conn) => {
    await writeAll(conn, encode("abcdef"));
    await readToEnd(conn);
  });
  const told = Promise.withResolvers<string>();
  await using peer = await connectPeer(server.endpoint, {
    ...options,
    onSurplus: (bytes) => told.resolve(decode(bytes)),
  });
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("abc") });
  assertEquals(await told.promise, "def");
  assertEquals(peer.surplus, 3);
});

bounded("StreamPeer.ended resolves without a message being sent when the server closes", async () => {
  await using server = new ScriptedServer(() => Promise.resolve());
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.ended, undefined);
});

bounded("StreamPeer disposes politely: the server sees the end of the stream", async () => {
  const seen = Promise.withResolvers<string>();
  await using server = new ScriptedServer(async (conn) => {
    seen.resolve(decode(await readToEnd(conn)));
  });
  {
    await using peer = await connectPeer(server.endpoint, hasty);
    await peer.exchange(encode("bye"));
  }
  assertEquals(await seen.promise, "bye");
});

bounded("StreamPeer disposes in bounded time when the server keeps its side open", async () => {
  const over = Promise.withResolvers<void>();
  await using _server = new ScriptedServer(() => over.promise);
  const peer = await connectPeer(_server.endpoint, options);
  await within(5000, peer[Symbol.asyncDispose]());
  await peer[Symbol.asyncDispose]();
  over.resolve();
});

bounded("connectPeer() ends at once when its signal says so", async () => {
  await using full = await fullListener();
  const abort = new AbortController();
  const connecting = connectPeer(full.endpoint, { timeout: 3_600_000, retries: 0, signal: abort.signal });
  await full.isConnecting();
  abort.abort(new Error("stop"));
  await assertRejects(() => connecting, Error, "stop");
}, { ignore: Deno.build.os !== "linux" });

bounded("connectPeer() says so when nobody listens", async () => {
  const endpoint = { transport: "tcp", host: "127.0.0.1", port: freeTcpPort() } as const;
  const error = await assertRejects(() => connectPeer(endpoint, options), MeariError);
  assertEquals(
    error.message,
    `cannot connect to ${formatEndpoint(endpoint)}: connection refused`,
  );
});
