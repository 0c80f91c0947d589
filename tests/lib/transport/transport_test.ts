import { assertEquals, assertRejects } from "@std/assert";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../../lib/endpoint.ts";
import { errorCode, MeariError } from "../../../lib/errors.ts";
import {
  bindDatagram,
  boundEndpoint,
  connectStream,
  formatAddress,
  listenStream,
  openDatagram,
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

/** An endpoint on which nobody listens any more, and so nobody else does for now. */
async function deserted(transport: "tcp" | "udp"): Promise<Endpoint> {
  const endpoint = parseEndpoint(`${transport}://127.0.0.1:0`);
  const socket = transport === "tcp" ? await listenStream(endpoint) : await bindDatagram(endpoint);
  socket.close();
  return boundEndpoint(endpoint, socket.addr);
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

Deno.test("boundEndpoint() has the kernel's port and keeps the rest when the endpoint is on an IP network", () => {
  const asked = parseEndpoint("tcp://localhost:0?no-quit", { allowed: ["no-quit"] });
  const bound = boundEndpoint(asked, { transport: "tcp", hostname: "127.0.0.1", port: 4321 });
  assertEquals(formatEndpoint(bound), "tcp://localhost:4321?no-quit");
  const path: Endpoint = { transport: "unix", path: "a.sock" };
  assertEquals(boundEndpoint(path, { transport: "unix", path: "/tmp/a.sock" }), path);
});

for (const place of ["tcp://127.0.0.1:0", "tcp://[::1]:0", "unix"]) {
  bounded(`connectStream() reaches listenStream() when the endpoint is ${place}`, async () => {
    using folder = new TempFolder();
    const endpoint = place === "unix" ? `unix://${folder.file("a.sock")}` : place;
    const listener = await listenStream(parseEndpoint(endpoint));
    const accepting = listener.accept();
    const client = await connectStream(boundEndpoint(parseEndpoint(endpoint), listener.addr), bounds);
    const server = await accepting;
    assertEquals(await client.write(new Uint8Array([1, 2, 3])), 3);
    await client.closeWrite();
    const buffer = new Uint8Array(9);
    assertEquals([await server.read(buffer), await server.read(buffer)], [3, null]);
    for (const socket of [client, server, listener]) socket.close();
  }, place === "unix" ? unixOnly : {});
}

for (const place of ["udp://127.0.0.1:0", "udp://[::1]:0", "unixgram"]) {
  bounded(`openDatagram() reaches bindDatagram() and is answered when the endpoint is ${place}`, async () => {
    using folder = new TempFolder();
    const endpoint = place === "unixgram" ? `unixgram://${folder.file("a.sock")}` : place;
    const server = await bindDatagram(parseEndpoint(endpoint));
    const { socket, peer } = await openDatagram(boundEndpoint(parseEndpoint(endpoint), server.addr));
    await socket.send(new Uint8Array([1, 2, 3]), peer);
    const [question, from] = await server.receive(new Uint8Array(9));
    await server.send(question, from);
    const [answer] = await socket.receive(new Uint8Array(9));
    assertEquals(answer, new Uint8Array([1, 2, 3]));
    socket.close();
    server.close();
    assertEquals([...Deno.readDirSync(folder.path)], []);
  }, place === "unixgram" ? unixOnly : {});
}

bounded("openDatagram() looks a name up and prefers IPv4 when the host is a name", async () => {
  const { socket, peer } = await openDatagram(parseEndpoint("udp://localhost:7"));
  assertEquals<unknown>(peer, { transport: "udp", hostname: "127.0.0.1", port: 7 });
  socket.close();
});

bounded("openDatagram() removes its temporary folder when the socket is closed", async () => {
  using folder = new TempFolder();
  const server = await bindDatagram({ transport: "unixgram", path: folder.file("a.sock") });
  const { socket } = await openDatagram({ transport: "unixgram", path: folder.file("a.sock") });
  const { path } = socket.addr as { path: string };
  assertEquals(exists(path), true);
  socket.close();
  server.close();
  assertEquals([exists(path), exists(path.slice(0, path.lastIndexOf("/")))], [false, false]);
}, unixOnly);

bounded("listenStream() passes over clients that have reset their connections when they are accepted", async () => {
  const listener = await listenStream(parseEndpoint("tcp://127.0.0.1:0"));
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stderr } = await python(
    `
for i in range(10):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()`,
    port,
  );
  assertEquals([code, stderr], [0, ""]);
  const client = await connectStream({ transport: "tcp", host: "127.0.0.1", port }, bounds);
  const server = await listener.accept();
  assertEquals(server.remoteAddr, client.localAddr);
  for (const socket of [client, server, listener]) socket.close();
});

bounded("connectStream() says that nobody listens, and the way out, when the connection is refused", async () => {
  const endpoint = await deserted("tcp");
  const error = await assertRejects(() => connectStream(endpoint, bounds), MeariError);
  assertEquals(
    error.message,
    `cannot connect to ${
      formatEndpoint(endpoint)
    }: connection refused; is the server running? start one with meari-server`,
  );
  assertEquals([errorCode(error.cause), error.exitCode], ["ECONNREFUSED", 1]);
});

bounded("connectStream() says what is wrong with the path when there is no socket of that kind", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const place = `cannot connect to unix://${path}: `;
  const running = "; is the server running? start one with meari-server";
  const attempt = () => complaint(connectStream({ transport: "unix", path }, bounds));
  assertEquals(await attempt(), `${place}no such file or directory${running}`);
  const socket = await bindDatagram({ transport: "unixgram", path });
  assertEquals(await attempt(), `${place}it is a socket of another kind; use unixgram:// for the other kind`);
  socket.close();
  Deno.writeTextFileSync(path, "");
  assertEquals(await attempt(), `${place}connection refused${running}`);
}, unixOnly);

// Deno leaks the handle of the signal that bounds the time when the lookup fails.
bounded("connectStream() says that there is no such host when the name is unknown", async () => {
  assertEquals(
    await complaint(connectStream(parseEndpoint("nowhere.invalid:7"), bounds)),
    "cannot connect to tcp://nowhere.invalid:7: no such host; check the spelling, or use an IP address",
  );
}, { sanitizeResources: false });

bounded("openDatagram() says that there is no such host when the name is unknown", async () => {
  assertEquals(
    await complaint(openDatagram(parseEndpoint("udp://nowhere.invalid:7"))),
    "cannot send to udp://nowhere.invalid:7: no such host; check the spelling, or use an IP address",
  );
});

bounded("connectStream() gives up with the caller's reason when its signal is aborted", async () => {
  using folder = new TempFolder();
  const unix = await listenStream({ transport: "unix", path: folder.file("a.sock") });
  const tcp = await listenStream(parseEndpoint("tcp://127.0.0.1:0"));
  for (
    const endpoint of [boundEndpoint(parseEndpoint("tcp://"), tcp.addr), parseEndpoint(`unix:${folder.path}/a.sock`)]
  ) {
    const attempt = connectStream(endpoint, { timeout: 5000, signal: AbortSignal.abort() });
    assertEquals((await assertRejects(() => attempt, DOMException)).name, "AbortError");
  }
  tcp.close();
  unix.close();
}, unixOnly);

bounded("listenStream() and bindDatagram() say what is in the way when they cannot have the port", async () => {
  for (const transport of ["tcp", "udp"] as const) {
    const open = transport === "tcp" ? listenStream : bindDatagram;
    const first = await open(parseEndpoint(`${transport}://127.0.0.1:0`));
    const endpoint = boundEndpoint(parseEndpoint(`${transport}://`), first.addr);
    assertEquals(
      await complaint(open(endpoint)),
      `cannot listen on ${formatEndpoint(endpoint)}: address already in use; ` +
        "stop the program that has it, choose another port with -p, or let the kernel choose with -p 0",
    );
    first.close();
  }
});

bounded("listenStream() and bindDatagram() say what to use when the address is not this machine's", async () => {
  for (const [open, transport] of [[listenStream, "tcp"], [bindDatagram, "udp"]] as const) {
    assertEquals(
      await complaint(open(parseEndpoint(`${transport}://203.0.113.1:0`))),
      `cannot listen on ${transport}://203.0.113.1:0: this machine does not have that address; ` +
        "use 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network",
    );
    assertEquals(
      await complaint(open(parseEndpoint(`${transport}://nowhere.invalid:0`))),
      `cannot listen on ${transport}://nowhere.invalid:0: no such host; ` +
        "check the spelling, or use an IP address of this machine",
    );
  }
});

bounded("listenStream() and bindDatagram() say what to do when there is no such folder", async () => {
  using folder = new TempFolder();
  for (const [open, transport] of [[listenStream, "unix"], [bindDatagram, "unixgram"]] as const) {
    const endpoint: Endpoint = { transport, path: folder.file("missing/a.sock") };
    assertEquals(
      await complaint(open(endpoint)),
      `cannot listen on ${formatEndpoint(endpoint)}: no such file or directory; make the folder first`,
    );
  }
}, unixOnly);

bounded("listenStream() and its kin refuse when the endpoint is of the other kind", async () => {
  const [stream, datagram] = [parseEndpoint("tcp://127.0.0.1:7"), parseEndpoint("udp://127.0.0.1:7")];
  const carries = (endpoint: Endpoint, what: string) => `${formatEndpoint(endpoint)} does not carry ${what}`;
  assertEquals(await complaint(listenStream(datagram)), carries(datagram, "a stream"));
  assertEquals(await complaint(connectStream(datagram, bounds)), carries(datagram, "a stream"));
  assertEquals(await complaint(bindDatagram(stream)), carries(stream, "datagrams"));
  assertEquals(await complaint(openDatagram(stream)), carries(stream, "datagrams"));
});

for (const [transport, open] of [["unix", listenStream], ["unixgram", bindDatagram]] as const) {
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
      const socket = await open(endpoint);
      assertEquals(exists(endpoint.path), true);
      socket.close();
      assertEquals(exists(endpoint.path), false);
    },
    unixOnly,
  );

  bounded(`listening is refused and changes nothing when a live socket has the path of ${transport}`, async () => {
    using folder = new TempFolder();
    for (const [kind, listen] of [["unix", listenStream], ["unixgram", bindDatagram]] as const) {
      const path = folder.file(`${kind}.sock`);
      const live = await listen({ transport: kind, path });
      const before = Deno.lstatSync(path).ino;
      assertEquals(
        await complaint(open({ transport, path })),
        `cannot listen on ${transport}://${path}: address already in use; ` +
          "a server is listening there; stop it, or choose another path",
      );
      assertEquals(Deno.lstatSync(path).ino, before);
      live.close();
    }
  }, unixOnly);

  bounded(
    `listening is refused and leaves the file alone when it is no socket but has the path of ${transport}`,
    async () => {
      using folder = new TempFolder();
      const path = folder.file("notes.txt");
      Deno.writeTextFileSync(path, "keep me");
      assertEquals(
        await complaint(open({ transport, path })),
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
  const socket = await bindDatagram({ transport: "unixgram", path });
  Deno.renameSync(path, folder.file("old.sock"));
  Deno.writeTextFileSync(path, "another's");
  socket.close();
  assertEquals(Deno.readTextFileSync(path), "another's");
}, unixOnly);
