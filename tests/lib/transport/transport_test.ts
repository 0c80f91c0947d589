import { assert, assertEquals, assertRejects } from "@std/assert";
import { formatEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import { errorCode, MeariError } from "../../../lib/errors.ts";
import {
  connectMessages,
  connectStream,
  type Endpoint,
  formatAddress,
  formatHostPort,
  isDatagram,
  isStream,
  listen,
  plainHost,
} from "../../../lib/transport/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { python } from "../../helpers/programs.ts";
import { exists, TempFolder } from "../../helpers/temp_folder.ts";

const bounds = { timeout: 5000 };
const unixOnly = { ignore: Deno.build.os === "windows" };

/** The message of the error that an attempt ends in, which must be one for the user. */
async function complaint(attempt: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => attempt, MeariError)).message;
}

/** Listens for byte streams; returns the listener and the endpoint with its real port. */
async function listenStream(endpoint: Endpoint) {
  const listening = await listen(endpoint);
  assert(listening.kind === "stream");
  return listening;
}

/** Binds a socket of datagrams; returns it and the endpoint with its real port. */
async function bindDatagrams(endpoint: Endpoint) {
  const listening = await listen(endpoint);
  assert(listening.kind === "datagram");
  return listening;
}

/** An endpoint on which nobody listens any more, and so nobody else does for now. */
async function deserted(transport: "tcp" | "udp"): Promise<Endpoint> {
  const listening = await listen(parseEndpoint(`${transport}://127.0.0.1:0`));
  (listening.kind === "datagram" ? listening.socket : listening.listener).close();
  return listening.endpoint;
}

Deno.test("formatAddress() writes an address as people do when it is of any kind", () => {
  const tcp = (hostname: string) => formatAddress({ transport: "tcp", hostname, port: 7 });
  assertEquals([tcp("127.0.0.1"), tcp("::1"), tcp("::ffff:10.0.0.1")], ["127.0.0.1:7", "[::1]:7", "10.0.0.1:7"]);
  const unix = (path: string | null) => formatAddress({ transport: "unix", path });
  assertEquals([unix("/run/a.sock"), unix(""), unix(null)], ["/run/a.sock", "(unnamed)", "(unnamed)"]);
});

Deno.test("plainHost() undoes the mapped form when the address is IPv4, and leaves others alone", () => {
  const hosts = ["::ffff:127.0.0.1", "::FFFF:10.0.0.1", "127.0.0.1", "::1", "::ffff:1", "fe80::ffff:1"];
  const plain = ["127.0.0.1", "10.0.0.1", "127.0.0.1", "::1", "::ffff:1", "fe80::ffff:1"];
  assertEquals(hosts.map(plainHost), plain);
});

Deno.test("formatHostPort() puts brackets around the host when it is an IPv6 address", () => {
  const texts = ["127.0.0.1", "localhost", "::1"].map((host) => formatHostPort(host, 7));
  assertEquals(texts, ["127.0.0.1:7", "localhost:7", "[::1]:7"]);
});

Deno.test("isDatagram() and isStream() tell the kinds apart when the transport is any", () => {
  const endpoints = ["tcp://", "udp://", "unix:a", "unixgram:a"].map((text) => parseEndpoint(text));
  assertEquals(endpoints.map(isDatagram), [false, true, false, true]);
  assertEquals(endpoints.map(isStream), [true, false, true, false]);
});

bounded("listen() tells the kernel's port and keeps the rest when the endpoint is on an IP network", async () => {
  const options = { "no-quit": { help: "", parse: () => true } };
  const { endpoint, listener } = await listenStream(parseEndpoint("tcp://localhost:0?no-quit", { options }));
  listener.close();
  const { port } = listener.addr as Deno.NetAddr;
  assertEquals(formatEndpoint(endpoint), `tcp://localhost:${port}?no-quit`);
});

for (const place of ["tcp://127.0.0.1:0", "tcp://[::1]:0", "unix"]) {
  bounded(`connectStream() reaches listen() when the endpoint is ${place}`, async () => {
    using folder = new TempFolder();
    const { endpoint, listener } = await listenStream(
      parseEndpoint(place === "unix" ? `unix://${folder.file("a.sock")}` : place),
    );
    const accepting = listener.accept();
    const client = await connectStream(endpoint, bounds);
    const server = await accepting;
    assertEquals(await client.write(new Uint8Array([1, 2, 3])), 3);
    await client.closeWrite();
    const buffer = new Uint8Array(9);
    assertEquals([await server.read(buffer), await server.read(buffer)], [3, null]);
    for (const socket of [client, server, listener]) socket.close();
  }, place === "unix" ? unixOnly : {});
}

for (const place of ["udp://127.0.0.1:0", "udp://[::1]:0", "unixgram"]) {
  bounded(`connectMessages() reaches listen() and is answered when the endpoint is ${place}`, async () => {
    using folder = new TempFolder();
    const { endpoint, socket } = await bindDatagrams(
      parseEndpoint(place === "unixgram" ? `unixgram://${folder.file("a.sock")}` : place),
    );
    const client = await connectMessages(endpoint, bounds);
    await client.send(new Uint8Array([1, 2, 3]));
    const [question, from] = await socket.receive(new Uint8Array(9));
    await socket.send(question, from);
    assertEquals(await client.receive(new Uint8Array(9)), new Uint8Array([1, 2, 3]));
    client.close();
    socket.close();
    assertEquals([...Deno.readDirSync(folder.path)], []);
  }, place === "unixgram" ? unixOnly : {});
}

bounded("connectMessages() looks a name up and prefers IPv4 when the host is a name", async () => {
  const conn = await connectMessages(parseEndpoint("udp://localhost:7"), bounds);
  assertEquals<unknown>(conn.remoteAddr, { transport: "udp", hostname: "127.0.0.1", port: 7 });
  conn.close();
});

bounded("connectMessages() removes its temporary folder when the conversation is closed", async () => {
  using folder = new TempFolder();
  const { endpoint, socket } = await bindDatagrams({ transport: "unixgram", path: folder.file("a.sock") });
  const conn = await connectMessages(endpoint, bounds);
  const { path } = conn.localAddr as { path: string };
  assertEquals(exists(path), true);
  conn.close();
  socket.close();
  assertEquals([exists(path), exists(path.slice(0, path.lastIndexOf("/")))], [false, false]);
}, unixOnly);

bounded("listen() passes over clients that have reset their connections when they are accepted", async () => {
  const { endpoint, listener } = await listenStream(parseEndpoint("tcp://127.0.0.1:0"));
  const { code, stderr } = await python(
    `
for i in range(10):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()`,
    (listener.addr as Deno.NetAddr).port,
  );
  assertEquals([code, stderr], [0, ""]);
  const client = await connectStream(endpoint, bounds);
  const server = await listener.accept();
  assertEquals(server.remoteAddr, client.localAddr);
  for (const socket of [client, server, listener]) socket.close();
});

bounded("connectStream() says that nobody listens when the connection is refused", async () => {
  const endpoint = await deserted("tcp");
  const error = await assertRejects(() => connectStream(endpoint, bounds), MeariError);
  assertEquals(error.message, `cannot connect to ${formatEndpoint(endpoint)}: connection refused`);
  assertEquals([errorCode(error.cause), error.exitCode], ["ECONNREFUSED", 1]);
});

bounded("connectStream() says what is wrong with the path when there is no socket of that kind", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const place = `cannot connect to unix://${path}: `;
  const attempt = () => complaint(connectStream({ transport: "unix", path }, bounds));
  assertEquals(await attempt(), `${place}no such file or directory`);
  const { socket } = await bindDatagrams({ transport: "unixgram", path });
  assertEquals(await attempt(), `${place}it is a socket of another kind`);
  socket.close();
  Deno.writeTextFileSync(path, "");
  assertEquals(await attempt(), `${place}connection refused`);
}, unixOnly);

// Deno leaks the handle of the signal that bounds the time when the lookup fails.
bounded("connectStream() says that there is no such host when the name is unknown", async () => {
  assertEquals(
    await complaint(connectStream(parseEndpoint("nowhere.invalid:7"), bounds)),
    "cannot connect to tcp://nowhere.invalid:7: no such host",
  );
}, { sanitizeResources: false });

bounded("connectMessages() says that there is no such host when the name is unknown", async () => {
  assertEquals(
    await complaint(connectMessages(parseEndpoint("udp://nowhere.invalid:7"), bounds)),
    "cannot send to udp://nowhere.invalid:7: no such host",
  );
});

bounded("connectStream() gives up with the caller's reason when its signal is aborted", async () => {
  using folder = new TempFolder();
  const unix = await listenStream({ transport: "unix", path: folder.file("a.sock") });
  const tcp = await listenStream(parseEndpoint("tcp://127.0.0.1:0"));
  for (const { endpoint, listener } of [unix, tcp]) {
    const attempt = connectStream(endpoint, { timeout: 5000, signal: AbortSignal.abort() });
    assertEquals((await assertRejects(() => attempt, DOMException)).name, "AbortError");
    listener.close();
  }
}, unixOnly);

bounded("listen() says what is in the way when it cannot have the port", async () => {
  for (const transport of ["tcp", "udp"]) {
    const first = await listen(parseEndpoint(`${transport}://127.0.0.1:0`));
    assertEquals(
      await complaint(listen(first.endpoint)),
      `cannot listen on ${formatEndpoint(first.endpoint)}: address already in use`,
    );
    (first.kind === "datagram" ? first.socket : first.listener).close();
  }
});

bounded("listen() says what is wrong when the address is not this machine's", async () => {
  for (const transport of ["tcp", "udp"]) {
    const attempt = (host: string) => complaint(listen(parseEndpoint(`${transport}://${host}:0`)));
    const place = `cannot listen on ${transport}://`;
    assertEquals(await attempt("203.0.113.1"), `${place}203.0.113.1:0: this machine does not have that address`);
    assertEquals(await attempt("nowhere.invalid"), `${place}nowhere.invalid:0: no such host`);
  }
});

bounded("listen() says what is missing when there is no such folder", async () => {
  using folder = new TempFolder();
  for (const transport of ["unix", "unixgram"]) {
    const endpoint: Endpoint = { transport, path: folder.file("missing/a.sock") };
    assertEquals(
      await complaint(listen(endpoint)),
      `cannot listen on ${formatEndpoint(endpoint)}: no such file or directory`,
    );
  }
}, unixOnly);

bounded("connectStream() and connectMessages() refuse when the endpoint is of the other kind", async () => {
  const [tcp, udp] = [parseEndpoint("tcp://127.0.0.1:7"), parseEndpoint("udp://127.0.0.1:7")];
  assertEquals(await complaint(connectStream(udp, bounds)), "udp://127.0.0.1:7 does not carry a stream");
  assertEquals(await complaint(connectMessages(tcp, bounds)), "tcp://127.0.0.1:7 does not carry messages");
});

for (const transport of ["unix", "unixgram"]) {
  bounded(
    `listening replaces a stale file and removes its own at the end when the endpoint is ${transport}`,
    async () => {
      using folder = new TempFolder();
      const endpoint: Endpoint = { transport, path: folder.file("a.sock") };
      const { code, stderr } = await python(
        `socket.socket(socket.AF_UNIX, socket.${
          transport === "unix" ? "SOCK_STREAM" : "SOCK_DGRAM"
        }).bind(sys.argv[1])`,
        endpoint.path,
      );
      assertEquals([code, stderr, exists(endpoint.path)], [0, "", true]);
      const listening = await listen(endpoint);
      assertEquals(exists(endpoint.path), true);
      (listening.kind === "datagram" ? listening.socket : listening.listener).close();
      assertEquals(exists(endpoint.path), false);
    },
    unixOnly,
  );

  bounded(`listening is refused and changes nothing when a live socket has the path of ${transport}`, async () => {
    using folder = new TempFolder();
    for (const kind of ["unix", "unixgram"]) {
      const path = folder.file(`${kind}.sock`);
      const live = await listen({ transport: kind, path });
      const before = Deno.lstatSync(path).ino;
      assertEquals(
        await complaint(listen({ transport, path })),
        `cannot listen on ${transport}://${path}: address already in use`,
      );
      assertEquals(Deno.lstatSync(path).ino, before);
      (live.kind === "datagram" ? live.socket : live.listener).close();
    }
  }, unixOnly);

  bounded(
    `listening is refused and leaves the file alone when it is no socket but has the path of ${transport}`,
    async () => {
      using folder = new TempFolder();
      const path = folder.file("notes.txt");
      Deno.writeTextFileSync(path, "keep me");
      assertEquals(
        await complaint(listen({ transport, path })),
        `cannot listen on ${path}: a file that is not a socket is in the way`,
      );
      assertEquals(Deno.readTextFileSync(path), "keep me");
    },
    unixOnly,
  );
}

bounded("close() leaves the file alone when another program has replaced it at the path of unixgram", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const { socket } = await bindDatagrams({ transport: "unixgram", path });
  Deno.renameSync(path, folder.file("old.sock"));
  Deno.writeTextFileSync(path, "another's");
  socket.close();
  assertEquals(Deno.readTextFileSync(path), "another's");
}, unixOnly);
