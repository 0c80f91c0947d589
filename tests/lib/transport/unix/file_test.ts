import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { relative, resolve } from "node:path";
import { socketPath, temporaryPath } from "../../../../lib/transport/unix/file.ts";
import {
  closeListening,
  connectMessages,
  connectStream,
  type Endpoint,
  listen,
  type Listening,
} from "../../../../lib/transport/mod.ts";
import { bounded } from "../../../helpers/bounded.ts";
import { python } from "../../../helpers/programs.ts";
import { exists, TempFolder } from "../../../helpers/temp_folder.ts";

const bounds = { timeout: 5000 };
const ignore = Deno.build.os === "windows";

const bytes = (text: string) => new TextEncoder().encode(text).length;

Deno.test("temporaryPath() is in the same folder and as good as a socket's when the path is", () => {
  const room = Deno.build.os === "linux" ? 107 : 103;
  const path = fc.tuple(fc.nat(100), fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }))
    .map(([length, name]) => `/${"f".repeat(length)}/${name.replaceAll("/", "")}`)
    .filter((path) => !path.endsWith("/") && bytes(path) <= room);
  fc.assert(fc.property(path, (path) => {
    const other = temporaryPath(path);
    assert(bytes(other) <= room, other);
    assertEquals(other.slice(0, other.lastIndexOf("/")), path.slice(0, path.lastIndexOf("/")));
    if (bytes(path) + 9 <= room) assertMatch(other.slice(path.length), /^\.[0-9a-f]{8}$/);
    assert(!other.endsWith("/"));
  }));
  assertMatch(temporaryPath("a.sock"), /^a\.sock\.[0-9a-f]{8}$/);
});

Deno.test("socketPath() makes a path absolute, and takes the name of an abstract socket as it is", () => {
  assertEquals(socketPath("below/../a.sock"), resolve("a.sock"));
  assertEquals(socketPath("\0name"), "\0name");
});

Deno.test("socketPath() counts the folder when a short path is relative", () => {
  const message = `the path ${resolve("a".repeat(100))} is too long for a Unix socket: `;
  assertThrows(() => socketPath("a".repeat(100)), Error, message);
});

/** What a listener's accept or a socket's receive waits for, as they do while a server runs. */
function waitFor(listening: Listening): Promise<unknown> {
  const waiting = listening.kind === "datagram"
    ? listening.socket.receive(new Uint8Array(9))
    : listening.listener.accept();
  return (waiting as Promise<unknown>).catch(() => {});
}

for (const transport of ["unix", "unixgram"]) {
  bounded(`close() leaves the path to another's socket when that has taken it from ${transport}`, async () => {
    using folder = new TempFolder();
    const endpoint: Endpoint = { transport, path: folder.file("a.sock") };
    const first = await listen(endpoint);
    const waiting = waitFor(first);
    Deno.removeSync(endpoint.path);
    const second = await listen(endpoint);
    const [{ ino }] = [Deno.lstatSync(endpoint.path)];
    closeListening(first);
    await waiting;
    assertEquals(Deno.lstatSync(endpoint.path).ino, ino);
    (await (transport === "unix" ? connectStream : connectMessages)(endpoint, bounds)).close();
    closeListening(second);
    assertEquals(exists(endpoint.path), false);
  }, { ignore });

  bounded(`close() leaves another's file alone when it has been put in the place of ${transport}'s`, async () => {
    using folder = new TempFolder();
    const path = folder.file("a.sock");
    const listening = await listen({ transport, path });
    const waiting = waitFor(listening);
    Deno.writeTextFileSync(folder.file("b"), "another's");
    Deno.renameSync(folder.file("b"), path);
    closeListening(listening);
    await waiting;
    assertEquals(Deno.readTextFileSync(path), "another's");
  }, { ignore });

  bounded(`close() is quiet when the file of ${transport} or its folder is gone`, async () => {
    using folder = new TempFolder();
    const path = folder.file("below/a.sock");
    for (const gone of [path, folder.file("below")]) {
      Deno.mkdirSync(folder.file("below"), { recursive: true });
      const listening = await listen({ transport, path });
      const waiting = waitFor(listening);
      Deno.removeSync(gone, { recursive: true });
      closeListening(listening);
      await waiting;
    }
  }, { ignore });

  bounded(`close() frees the socket when the file of ${transport} cannot be removed`, async () => {
    using folder = new TempFolder();
    const endpoint: Endpoint = { transport, path: folder.file("a.sock") };
    const listening = await listen(endpoint);
    const waiting = waitFor(listening);
    // As where the folder may not be written to any more, which holds back anybody but root.
    const { removeSync } = Deno;
    Deno.removeSync = () => {
      throw new Deno.errors.PermissionDenied();
    };
    try {
      closeListening(listening);
    } finally {
      Deno.removeSync = removeSync;
    }
    await waiting;
    assertEquals(exists(endpoint.path), true);
    // It is a stale one now.
    closeListening(await listen(endpoint));
    assertEquals(exists(endpoint.path), false);
  }, { ignore });

  bounded(`listen() has one file, whose path is its address, when ${transport} serves`, async () => {
    using folder = new TempFolder();
    const paths = [
      folder.file("메아리.sock"),
      relative(Deno.cwd(), folder.file("b.sock")),
      folder.file("missing/../c.sock"),
    ];
    for (const path of paths) {
      const listening = await listen({ transport, path });
      const name = path.slice(path.lastIndexOf("/") + 1);
      assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), [name]);
      const { addr } = listening.kind === "datagram" ? listening.socket : listening.listener;
      assertEquals({ ...addr }, { transport: transport === "unix" ? "unix" : "unixpacket", path: folder.file(name) });
      const client = await (transport === "unix" ? connectStream : connectMessages)(listening.endpoint, bounds);
      assertEquals("path" in client.remoteAddr && client.remoteAddr.path, path);
      client.close();
      closeListening(listening);
      assertEquals([...Deno.readDirSync(folder.path)], []);
    }
  }, { ignore });
}

bounded("accept() goes on to the next client when one's path is not UTF-8", async () => {
  using folder = new TempFolder();
  const listening = await listen({ transport: "unix", path: folder.file("a.sock") });
  assert(listening.kind === "stream");
  const { code, stderr } = await python(
    `
import os
for name in [b"/\\xff", b"/\\xfe"]:
    s = socket.socket(socket.AF_UNIX)
    s.bind(os.fsencode(os.path.dirname(sys.argv[1])) + name)
    s.connect(sys.argv[1])
`,
    folder.file("a.sock"),
  );
  assertEquals([code, stderr], [0, ""]);
  const client = await connectStream(listening.endpoint, bounds);
  const server = await listening.listener.accept();
  await client.write(new Uint8Array([7]));
  assertEquals(await server.read(new Uint8Array(9)), 1);
  for (const socket of [client, server, listening.listener]) socket.close();
}, { ignore: Deno.build.os !== "linux" });
