import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import fc from "fast-check";
import { adviceFor } from "../../../client/advice.ts";
import { connectPeer } from "../../../client/talk/connect_peer.ts";
import { MessagePeer } from "../../../client/talk/message_peer.ts";
import { formatEndpoint } from "../../../lib/endpoint.ts";
import { MeariError } from "../../../lib/errors.ts";
import { EndpointError, type InetEndpoint } from "../../../lib/transport/mod.ts";
import { startServer } from "../../../server/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { systemError } from "../../helpers/errors.ts";
import { framed } from "../../helpers/framed.ts";
import { ownTransport } from "../../helpers/own_transport.ts";
import { ScriptedMessageConn } from "../../helpers/scripted_message_conn.ts";
import { ScriptedDatagramServer } from "../../helpers/scripted_server.ts";
import { assertSameBytes, noise } from "../../helpers/streams.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const options = { timeout: 10_000, retries: 0 };
const unixOnly = { ignore: Deno.build.os === "windows" };

bounded("MessagePeer.exchange() returns any datagram, zero-length ones included", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  await using peer = await connectPeer(server.endpoints[0]!, options);
  assertEquals(await peer.exchange(encode("")), { bytes: encode("") });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      assertEquals(await peer.exchange(bytes), { bytes });
    }),
    { endOnFailure: true },
  );
});

bounded("MessagePeer.exchange() returns the largest datagram there is over IPv4", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  await using peer = await connectPeer(server.endpoints[0]!, options);
  const largest = noise(65_507);
  assertSameBytes((await peer.exchange(largest)).bytes, largest);
}, { ignore: Deno.build.os === "darwin" });

bounded("MessagePeer.exchange() says that a message is too long, and goes on with the next", async () => {
  await using server = await startServer({ endpoints: ["udp://127.0.0.1:0"] });
  const endpoint = server.endpoints[0]!;
  await using peer = await connectPeer(endpoint, options);
  const error = await assertRejects(() => peer.exchange(new Uint8Array(65_508)), MeariError);
  assertEquals(
    error.message,
    `cannot send to ${formatEndpoint(endpoint)}: message too long (the message has 65508 bytes)`,
  );
  assertEquals(await peer.exchange(encode("a")), { bytes: encode("a") });
});

bounded("MessagePeer.exchange() works over a Unix socket and leaves no file behind", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  const clients = new Set<string>();
  await using server = await startServer({
    endpoints: [`unixgram://${path}`],
    subscribers: [(event) => event.type === "echoed" && "path" in event.peer && clients.add(event.peer.path ?? "")],
  });
  {
    await using peer = await connectPeer(server.endpoints[0]!, options);
    for (const text of ["", "메아리", "quit"]) {
      assertEquals(await peer.exchange(encode(text)), { bytes: encode(text) });
    }
  }
  assertEquals([...clients].map(exists), [false]);
}, unixOnly);

bounded("MessagePeer.exchange() sends again when a datagram is lost", async () => {
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    if (server.count > 2) await answer(datagram);
  });
  await using peer = await connectPeer(server.endpoint, { timeout: 100, retries: 5 });
  assertEquals(await peer.exchange(encode("a")), { bytes: encode("a") });
  assertEquals(server.count >= 3, true);
});

bounded("MessagePeer.exchange() says how often it tried when no echo comes", async () => {
  await using server = new ScriptedDatagramServer(() => Promise.resolve());
  const none = new Uint8Array(0);
  await using peer = await connectPeer(server.endpoint, { timeout: 50, retries: 2 });
  assertEquals(await peer.exchange(encode("a")), { bytes: none, missing: "no echo within 50ms, sent 3 times" });
  await using once = await connectPeer(server.endpoint, { timeout: 50, retries: 0 });
  assertEquals(await once.exchange(encode("a")), { bytes: none, missing: "no echo within 50ms" });
});

bounded(
  "MessagePeer.exchange() takes no late or duplicate echo of an earlier message for the current one",
  async () => {
    const withheld: Uint8Array[] = [];
    await using server = new ScriptedDatagramServer(async (datagram, answer) => {
      if (server.count === 1) return withheld.push(datagram.slice());
      // The late one first, then the right one, then the right one again.
      for (const late of withheld) await answer(late);
      await answer(datagram);
      withheld.push(datagram.slice());
    });
    const late: string[] = [];
    await using peer = await connectPeer(server.endpoint, {
      timeout: 200,
      retries: 0,
      onLate: ({ message, bytes }) => late.push(`${decode(message)} ${decode(bytes)}`),
    });
    assertEquals((await peer.exchange(encode("one"))).missing, "no echo within 200ms");
    const patient = { missing: undefined };
    for (const text of ["two", "three", "four", ""]) {
      assertEquals({ ...patient, ...await peer.exchange(encode(text)) }, { ...patient, bytes: encode(text) });
    }
    // Told once, although it came again with each further message.
    assertEquals([late, peer.surplus], [["one one"], 0]);
  },
);

bounded("MessagePeer.exchange() returns what came when the server changes a byte", async () => {
  await using server = new ScriptedDatagramServer((datagram, answer) => answer(datagram.with(0, 0x2a)));
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("*bc") });
});

bounded("MessagePeer.exchange() returns a whole longer datagram when the server adds bytes", async () => {
  await using server = new ScriptedDatagramServer((datagram, answer) => answer(Uint8Array.of(...datagram, 0x2a)));
  await using peer = await connectPeer(server.endpoint, options);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("abc*") });
});

bounded("MessagePeer.surplus counts a datagram that no message asked for", async () => {
  const told = Promise.withResolvers<string>();
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    await answer(datagram);
    await answer(encode("more"));
  });
  await using peer = await connectPeer(server.endpoint, {
    ...options,
    onSurplus: (bytes) => told.resolve(decode(bytes)),
  });
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("abc") });
  assertEquals(await told.promise, "more");
  assertEquals(peer.surplus, 4);
});

bounded("MessagePeer.exchange() ignores a stranger at another port", async () => {
  const stranger = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    await using server = new ScriptedDatagramServer(async (datagram, answer, from) => {
      await stranger.send(encode("not you"), from);
      await stranger.send(datagram.with(0, 0x2a), from);
      await answer(datagram);
    });
    await using peer = await connectPeer(server.endpoint, options);
    assertEquals(await peer.exchange(encode("abc")), { bytes: encode("abc") });
    assertEquals(peer.surplus, 0);
  } finally {
    stranger.close();
  }
});

// Only Linux has the whole of 127.0.0.0/8 without being told so.
bounded("MessagePeer.exchange() takes an answer from another address of the server", async () => {
  await using server = new ScriptedDatagramServer((datagram, answer) => answer(datagram), "0.0.0.0");
  await using peer = await connectPeer({ ...server.endpoint, host: "127.0.0.2" }, options);
  assertEquals(await peer.exchange(encode("abc")), { bytes: encode("abc") });
}, { ignore: Deno.build.os !== "linux" });

const nowhere: InetEndpoint = { transport: "udp", host: "127.0.0.1", port: 9 };

bounded("MessagePeer.exchange() fails as soon as the system tells that nobody listens", async () => {
  const conn = new ScriptedMessageConn();
  await using peer = new MessagePeer(nowhere, conn, options);
  const exchanging = peer.exchange(encode("a"));
  conn.give(systemError("ECONNREFUSED"));
  const error = await assertRejects(() => exchanging, EndpointError);
  assertEquals([error.message, error.exitCode], ["cannot send to udp://127.0.0.1:9: connection refused", 1]);
  assertEquals(adviceFor(error), "is the server running? start one with meari-server");
});

bounded("MessagePeer.exchange() goes on when somebody listens again", async () => {
  const conn = new ScriptedMessageConn();
  await using peer = new MessagePeer(nowhere, conn, options);
  const failing = peer.exchange(encode("a"));
  conn.give(systemError("ECONNREFUSED"));
  await assertRejects(() => failing, EndpointError);
  const exchanging = peer.exchange(encode("b"));
  conn.give(encode("b"));
  assertEquals(await exchanging, { bytes: encode("b") });
});

bounded("MessagePeer.exchange() waits no longer than it may when the server takes nothing", async () => {
  const conn = new ScriptedMessageConn();
  conn.send = () => new Promise<void>(() => {});
  await using peer = new MessagePeer(nowhere, conn, { timeout: 50, retries: 1 });
  assertEquals((await peer.exchange(encode("a"))).missing, "no echo within 50ms, sent 2 times");
});

bounded("MessagePeer.exchange() ends at once when its signal says so, and sends nothing more", async () => {
  const conn = new ScriptedMessageConn();
  const abort = new AbortController();
  await using peer = new MessagePeer(nowhere, conn, { timeout: 3_600_000, retries: 0, signal: abort.signal });
  const exchanging = peer.exchange(encode("a"));
  abort.abort(new Error("stop"));
  await assertRejects(() => exchanging, Error, "stop");
  await assertRejects(() => peer.exchange(encode("b")), Error, "stop");
  assertEquals(conn.sent, ["a"]);
});

bounded("MessagePeer tells that the peer has ended the conversation", async () => {
  const conn = new ScriptedMessageConn();
  await using peer = new MessagePeer(nowhere, conn, options);
  const exchanging = peer.exchange(encode("a"));
  conn.give(null);
  const over = { bytes: encode(""), missing: "the server closed the connection", ended: true } as const;
  assertEquals(await exchanging, over);
  await peer.ended;
  assertEquals(await peer.exchange(encode("b")), over);
});

bounded("MessagePeer tells why a connection has broken, and sends nothing more", async () => {
  using _row = ownTransport("framed", framed);
  const conn = new ScriptedMessageConn();
  await using peer = new MessagePeer({ ...nowhere, transport: "framed" }, conn, options);
  const exchanging = peer.exchange(encode("a"));
  conn.give(systemError("ECONNRESET"));
  const broken = { bytes: encode(""), missing: "connection reset by the peer", ended: true } as const;
  assertEquals([await exchanging, await peer.ended], [broken, "connection reset by the peer"]);
  assertEquals([await peer.exchange(encode("b")), conn.sent], [broken, ["a"]]);
});

bounded("MessagePeer.exchange() leaves it to receiving to tell why nothing can be sent on a connection", async () => {
  using _row = ownTransport("framed", framed);
  const conn = new ScriptedMessageConn();
  await using peer = new MessagePeer({ ...nowhere, transport: "framed" }, conn, options);
  conn.send = () => Promise.reject(systemError("EPIPE"));
  const exchanging = peer.exchange(encode("a"));
  await delay(0);
  conn.give(systemError("ECONNRESET"));
  assertEquals((await exchanging).missing, "connection reset by the peer");
});

bounded("connectPeer() says that nobody is there when a Unix socket has no server", async () => {
  const endpoint = { transport: "unixgram", path: "/nonexistent/s.sock" } as const;
  const error = await assertRejects(() => connectPeer(endpoint, options), MeariError);
  assertEquals(
    error.message,
    "cannot send to unixgram:///nonexistent/s.sock: no such file or directory",
  );
}, unixOnly);

bounded("connectPeer() says so when there is no such host", async () => {
  const endpoint = { transport: "udp", host: "nobody.invalid", port: 7 } as const;
  const error = await assertRejects(() => connectPeer(endpoint, options), MeariError);
  assertEquals(
    error.message,
    "cannot send to udp://nobody.invalid:7: no such host",
  );
});
