import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DatagramSender } from "../../../lib/native/datagram_sender.ts";
import { SockaddrUn } from "../../../lib/native/sockaddr_un.ts";
import { errorCode } from "../../../lib/errors.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const ignore = Deno.build.os !== "linux";

const test = (name: string, fn: () => void | Promise<void>) => Deno.test({ name, ignore, fn });

const open = (path: string) => Deno.listenDatagram({ transport: "unixpacket", path });

/** Binds a socket with a sender. */
function bind(path: string): { socket: Deno.DatagramConn; sender: DatagramSender } & Disposable {
  const { bound: socket, sender } = DatagramSender.bind(path, () => open(path));
  assert(sender !== undefined);
  return {
    socket,
    sender,
    [Symbol.dispose]() {
      sender.close();
      socket.close();
    },
  };
}

Deno.test("SockaddrUn reads back the path that was written when it fits", () => {
  const address = new SockaddrUn();
  const path = fc.string({ unit: "binary", minLength: 1, maxLength: 120 }).filter((path) => !path.includes("\0"));
  fc.assert(fc.property(path, (path) => {
    const { length } = new TextEncoder().encode(path);
    if (length > 107) assertThrows(() => address.path = path, RangeError, "too long");
    else {
      address.path = path;
      assertEquals([address.path, address.length[0]], [path, 2 + length + 1]);
      assertEquals([...address.bytes.subarray(0, 2), address.bytes[2 + length]], [1, 0, 0]);
    }
  }));
});

Deno.test("SockaddrUn keeps the zero byte in front and adds none behind when the socket is abstract", () => {
  const address = new SockaddrUn();
  address.path = "\0meari";
  assertEquals([address.path, address.length[0]], ["\0meari", 2 + 6]);
});

test("send() sends from the socket that was bound when a peer asks who sent", async () => {
  using folder = new TempFolder();
  using one = bind(folder.file("one"));
  using other = bind(folder.file("other"));
  assertEquals(one.sender.send(new Uint8Array([1, 2, 3]), folder.file("other")), 3);
  assertEquals(one.sender.send(new Uint8Array(0), folder.file("other")), 0);
  const [datagram, from] = await other.socket.receive();
  assertEquals([datagram, { ...from }], [
    new Uint8Array([1, 2, 3]),
    { transport: "unixpacket", path: folder.file("one") },
  ]);
  assertEquals((await other.socket.receive())[0], new Uint8Array(0));
});

test("bind() finds the new socket's descriptor when an older one had the same path", () => {
  using folder = new TempFolder();
  const path = folder.file("a");
  using peer = bind(folder.file("peer"));
  const old = open(path);
  Deno.removeSync(path);
  using young = bind(path);
  old.close();
  assertEquals(young.sender.send(new Uint8Array(1), folder.file("peer")), 1);
  assertEquals(peer.sender.isClogged(), false);
});

test("send() tells what the system says when there is nobody or too much", () => {
  using folder = new TempFolder();
  using one = bind(folder.file("one"));
  const codeOf = (bytes: number, path: string) =>
    errorCode(assertThrows(() => one.sender.send(new Uint8Array(bytes), folder.file(path)), Error));
  const stale = open(folder.file("stale"));
  stale.close();
  Deno.writeTextFileSync(folder.file("file"), "");
  using _stream = Deno.listen({ transport: "unix", path: folder.file("stream") });
  assertEquals([codeOf(1, "missing"), codeOf(1, "stale"), codeOf(1, "file/below")], [
    "ENOENT",
    "ECONNREFUSED",
    "ENOTDIR",
  ]);
  assertEquals([codeOf(1, "stream"), codeOf(10_000_000, "one")], ["EPROTOTYPE", "EMSGSIZE"]);
  assertThrows(() => one.sender.send(new Uint8Array(1), "x".repeat(108)), RangeError, "too long");
});

test("send() returns undefined when the peer's queue is full, and isClogged() tells whose fault it is", () => {
  using folder = new TempFolder();
  using one = bind(folder.file("one"));
  using _deaf = bind(folder.file("deaf"));
  using other = bind(folder.file("other"));
  const fill = (sender: DatagramSender, bytes: Uint8Array) => {
    for (let sent = 0; sent < 10_000; sent++) if (sender.send(bytes, folder.file("deaf")) === undefined) return;
    throw new Error("it is never full");
  };
  fill(one.sender, new Uint8Array(1));
  assertEquals(one.sender.isClogged(), false);
  assertEquals(one.sender.send(new Uint8Array(1), folder.file("other")), 1);
  using large = bind(folder.file("large"));
  fill(large.sender, new Uint8Array(100_000));
  for (let i = 0; i < 5; i++) large.sender.send(new Uint8Array(100_000), folder.file("one"));
  assertEquals(large.sender.isClogged(), true);
  assertEquals(large.sender.send(new Uint8Array(1), folder.file("other")), undefined);
  assertEquals(other.sender.isClogged(), false);
});

test("send() never uses a descriptor that may be another's when it is closed", () => {
  using folder = new TempFolder();
  const { socket, sender } = bind(folder.file("a"));
  sender.close();
  sender.close();
  socket.close();
  using _next = bind(folder.file("b"));
  assertThrows(() => sender.send(new Uint8Array(1), folder.file("b")), Deno.errors.BadResource);
  assertThrows(() => sender.isClogged(), Deno.errors.BadResource);
});

test("bind() leaves nothing open when binding fails", () => {
  using folder = new TempFolder();
  assertThrows(() => DatagramSender.bind("a", () => open(folder.file("missing/a"))), Deno.errors.NotFound);
});

for (const [what, read, ffi] of [["FFI", true, false], ["looking at descriptors", [Deno.cwd()], true]] as const) {
  Deno.test({
    name: `bind() binds without a sender when ${what} is not permitted, and does not ask`,
    ignore,
    permissions: { read: read === true || [...read], ffi },
    fn() {
      const { bound, sender } = DatagramSender.bind("a", () => "bound");
      assertEquals([bound, sender], ["bound", undefined]);
    },
  });
}
