import { assert, assertEquals, assertRejects } from "@std/assert";
import { relative } from "node:path";
import { errorCode } from "../../../../lib/errors.ts";
import { DatagramSender } from "../../../../lib/native/datagram_sender.ts";
import { connectMessages, type DatagramSocket } from "../../../../lib/transport/mod.ts";
import { UnixDatagramSocket } from "../../../../lib/transport/unix/datagram_socket.ts";
import { waitAtMost } from "../../../../lib/wait_at_most.ts";
import { bounded, within } from "../../../helpers/bounded.ts";
import { systemError } from "../../../helpers/errors.ts";
import { needs, PYTHON, python } from "../../../helpers/programs.ts";
import { Running } from "../../../helpers/running.ts";
import { exists, TempFolder } from "../../../helpers/temp_folder.ts";

const linux = { ignore: Deno.build.os !== "linux" };
const buffer = new Uint8Array(256 * 1024);

/** Echoes until the socket is closed; returns what it could not answer. */
async function echo(socket: DatagramSocket): Promise<{ code: string | undefined; nameless: number }> {
  let code: string | undefined;
  for (let nameless = 0;;) {
    try {
      const [datagram, from] = await socket.receive(buffer);
      if ("path" in from && from.path) {
        await socket.send(datagram, from).catch((error) => code = errorCode(error));
      } else nameless++;
    } catch {
      return { code, nameless };
    }
  }
}

/** Sends so many datagrams of a size and reads no answer; says so, and stays until its stdin ends. */
const DEAF = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + ".deaf")
for i in range(int(sys.argv[2])): s.sendto(b"x" * int(sys.argv[3]), sys.argv[1])
print("sent", flush=True)
sys.stdin.read()
`;

/** A client that takes no datagram of another socket than the one it is connected to, asks, and tells what it is answered. */
const CONNECTED = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + ".connected")
s.connect(sys.argv[1])
s.settimeout(10)
for line in sys.stdin:
    s.send(line.encode())
    print(s.recv(100).decode(), end="", flush=True)
`;

function start(code: string, ...args: (string | number)[]): Running {
  return new Running([needs(PYTHON), "-c", code, ...args.map(String)]);
}

/** Asks the server at a path with a client of ours, which asks again after so many milliseconds. */
async function ask(path: string, again = 10_000): Promise<void> {
  const client = await connectMessages({ transport: "unixgram", path }, { timeout: 5000 });
  const answer = client.receive(new Uint8Array(100));
  do await client.send(new Uint8Array([1, 2, 3])); while (await waitAtMost(again, answer) === undefined);
  assertEquals(await answer, new Uint8Array([1, 2, 3]));
  client.close();
}

for (const [count, size] of [[23, 10], [23, 60_000], [2000, 10]] as const) {
  bounded(`a socket serves others when a client sends ${count} times ${size} bytes and never reads`, async () => {
    using folder = new TempFolder();
    const path = folder.file("a.sock");
    const socket = await UnixDatagramSocket.bind(path);
    const echoing = echo(socket);
    await using deaf = start(DEAF, path, count, size);
    await deaf.stdout.until("sent");
    for (let i = 0; i < 10; i++) await within(2000, ask(path));
    socket.close();
    const { code } = await within(1000, echoing);
    // A few are kept in case that it reads; of more it is said that they are lost.
    assertEquals(code, count === 23 && size === 10 ? undefined : "EAGAIN");
    assertEquals(exists(path), false);
  }, linux);
}

/** Clients, so many, that send large datagrams without end and read no answer. */
const DEAF_ONES = `
import socket, sys
deaf = []
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(sys.argv[1] + ".deaf%d" % i)
    deaf.append(s)
print("bound", flush=True)
while True:
    for s in deaf:
        try: s.sendto(b"x" * 60000, sys.argv[1])
        except FileNotFoundError: pass
`;

bounded("a socket serves others meanwhile when many clients send large datagrams and never read", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const socket = await UnixDatagramSocket.bind(path);
  const echoing = echo(socket);
  await using deaf = start(DEAF_ONES, path, 20);
  await deaf.stdout.until("bound");
  // What waits in a socket that is replaced is lost.
  for (let i = 0; i < 5; i++) await within(2000, ask(path, 400));
  socket.close();
  assertEquals((await within(1000, echoing)).code, "EAGAIN");
}, linux);

/** What keeps a socket from being replaced; returns what ends that. */
const obstacles: [name: string, obstruct: (onTry: () => void) => () => void][] = [
  ["there is no descriptor for another one", (onTry) => {
    const { listenDatagram } = Deno;
    Deno.listenDatagram = () => {
      onTry();
      throw systemError("EMFILE");
    };
    return () => void (Deno.listenDatagram = listenDatagram);
  }],
  ["another one could not send without waiting", (onTry) => {
    const { bind } = DatagramSender;
    DatagramSender.bind = (_, bindSocket) => {
      onTry();
      return { bound: bindSocket() };
    };
    return () => void (DatagramSender.bind = bind);
  }],
];

for (const [name, obstruct] of obstacles) {
  bounded(`a socket answers again when it was not replaced because ${name}`, async () => {
    using folder = new TempFolder();
    const path = folder.file("a.sock");
    const socket = await UnixDatagramSocket.bind(path);
    const echoing = echo(socket);
    let tried = 0;
    const clear = obstruct(() => tried++);
    {
      await using deaf = start(DEAF, path, 23, 60_000);
      try {
        await deaf.stdout.until("sent");
        while (tried < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      } finally {
        clear();
      }
      await within(2000, ask(path));
    }
    socket.close();
    await echoing;
    assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a.sock.deaf"]);
  }, linux);
}

bounded("a socket answers clients that are connected to it when another one never reads", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const socket = await UnixDatagramSocket.bind(path);
  const echoing = echo(socket);
  await using client = start(CONNECTED, path);
  await client.type("one\n");
  await client.stdout.until("one\n");
  await using deaf = start(DEAF, path, 500, 10);
  await deaf.stdout.until("sent");
  await client.type("two\n");
  await client.stdout.until("two\n");
  socket.close();
  await echoing;
}, linux);

bounded("receive() tells at once that a sender has no path when it has none that is text", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.sock");
  const socket = await UnixDatagramSocket.bind(path);
  const { code, stderr } = await python(
    `
import os
for name in [None, b"\\0meari-abstract-%d" % os.getpid(), os.fsencode(os.path.dirname(sys.argv[1])) + b"/\\xff"]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if name: s.bind(name)
    s.sendto(b"hello", sys.argv[1])
`,
    path,
  );
  assertEquals([code, stderr], [0, ""]);
  const lengths = [];
  for (let i = 0; i < 3; i++) {
    const [datagram, from] = await within(200, socket.receive(buffer));
    lengths.push(datagram.length);
    // Newer versions of Deno tell the name of an abstract socket, which can be answered.
    assert("path" in from && (from.path === null || (i === 1 && from.path.startsWith("\0"))));
  }
  assertEquals(lengths, [5, 5, 0]);
  await assertRejects(() => socket.send(new Uint8Array(1), { transport: "unixpacket", path: null }), TypeError);
  const echoing = echo(socket);
  await ask(path);
  socket.close();
  await echoing;
}, linux);

bounded(
  "a client receives its server's answers when a stranger's path is not UTF-8, or the server's is relative",
  async () => {
    using folder = new TempFolder();
    await using server = new Running([
      needs(PYTHON),
      "-c",
      `
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("relative.sock")
print("bound", flush=True)
datagram, client = s.recvfrom(100)
stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
stranger.bind(b"\\xff")
stranger.sendto(b"from nobody", client)
s.sendto(datagram, client)
`,
    ], { cwd: folder.path });
    await server.stdout.until("bound");
    await ask(folder.file("relative.sock"));
    assertEquals(await server.exit(), 0, server.stderr.text);
  },
  linux,
);

Deno.test({
  name: "a socket serves others when a client never reads and FFI is not permitted",
  ...linux,
  permissions: { net: true, read: true, write: true, run: true, env: true, ffi: false },
  async fn() {
    using folder = new TempFolder();
    const path = folder.file("a.sock");
    const socket = await UnixDatagramSocket.bind(path);
    const echoing = echo(socket);
    {
      await using deaf = start(DEAF, path, 13, 10);
      await deaf.stdout.until("sent");
      for (let i = 0; i < 3; i++) await within(5000, ask(path, 200));
    }
    socket.close();
    assertEquals(await within(1000, echoing), { code: "EAGAIN", nameless: 0 });
    assertEquals(exists(path), false);
  },
});

Deno.test({
  name: "a socket at a relative path keeps what a client does not read, too, with the permissions of the programs",
  ...linux,
  permissions: { net: true, read: true, write: true, run: true, env: true, ffi: true },
  async fn() {
    using folder = new TempFolder();
    const path = folder.file("a.sock");
    const socket = await UnixDatagramSocket.bind(relative(Deno.cwd(), path));
    const echoing = echo(socket);
    await using deaf = start(DEAF, path, 23, 10);
    await deaf.stdout.until("sent");
    await within(2000, ask(path));
    socket.close();
    assertEquals(await within(1000, echoing), { code: undefined, nameless: 0 });
  },
});
