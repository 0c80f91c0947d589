import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatagramBatch } from "../../../lib/native/datagram_batch.ts";
import {
  addressOfSocket,
  bindSocket,
  countDropped,
  getOption,
  growReceiveBuffer,
  openSocket,
  setOption,
} from "../../../lib/native/inet_socket.ts";
import { type Libc, openLibc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { EMULATED } from "../../helpers/emulated.ts";
import { encodeSockaddr } from "../../../lib/native/sockaddr_in.ts";

/** Registers a test that binds sockets, which are closed in the end. */
function test(name: string, run: (libc: Libc, close: (fd: number) => number) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const libc = openLibc()!;
      const fds: number[] = [];
      try {
        await run(libc, (fd) => {
          fds.push(fd);
          return fd;
        });
      } finally {
        for (const fd of fds) libc.symbols.close(fd);
        libc.close();
      }
    },
  });
}

test(
  "bindSocket() binds where it is told, and addressOfSocket() tells the port that the kernel chose",
  (libc, close) => {
    for (const hostname of ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]) {
      for (const type of ["stream", "datagram"] as const) {
        const address = addressOfSocket(libc, close(bindSocket(libc, type, { hostname, port: 0 })));
        assertEquals([address.hostname, address.port > 0], [hostname, true]);
      }
    }
  },
);

test("bindSocket() throws the system's error and leaves no descriptor when the port is taken", (libc, close) => {
  const taken = close(bindSocket(libc, "datagram", { hostname: "127.0.0.1", port: 0 }));
  const { port } = addressOfSocket(libc, taken);
  const next = libc.symbols.dup(taken);
  libc.symbols.close(next);
  const bind = (reusePort: boolean) => bindSocket(libc, "datagram", { hostname: "127.0.0.1", port }, { reusePort });
  for (const reusePort of [false, true]) {
    const error = assertThrows(() => bind(reusePort), Error, "bind: EADDRINUSE");
    assertEquals((error as Error & { code: string }).code, "EADDRINUSE");
  }
  assertEquals(close(libc.symbols.dup(taken)), next);
});

test("bindSocket() has sockets share a port only when all of them ask for it", (libc, close) => {
  for (const type of ["stream", "datagram"] as const) {
    const bind = (port: number, reusePort: boolean) =>
      close(bindSocket(libc, type, { hostname: "127.0.0.1", port }, { reusePort }));
    const { port } = addressOfSocket(libc, bind(0, true));
    assertEquals(addressOfSocket(libc, bind(port, true)).port, port);
    libc.symbols.listen(bind(port, true), 1);
    assertThrows(() => bind(port, false), Error, "bind: EADDRINUSE");
  }
});

test("bindSocket() takes IPv4 as well on ::", async (libc, close) => {
  const fd = close(bindSocket(libc, "stream", { hostname: "::", port: 0 }));
  libc.symbols.listen(fd, 10);
  const { port } = addressOfSocket(libc, fd);
  for (const hostname of ["127.0.0.1", "::1"]) (await Deno.connect({ hostname, port })).close();
});

test("openSocket() opens one that does not block, and that programs it starts do not have", (libc, close) => {
  const fd = close(openSocket(libc, "datagram", "127.0.0.1"));
  const flags = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).match(/flags:\s*(\d+)/)![1]!;
  const expected = LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC;
  assertEquals(parseInt(flags, 8) & expected, expected);
});

test("setOption() sets what getOption() tells, and both throw the system's error", (libc, close) => {
  const fd = close(openSocket(libc, "stream", "127.0.0.1"));
  for (const value of [1, 0]) {
    setOption(libc, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, value);
    assertEquals(getOption(libc, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY), value);
  }
  assertThrows(() => setOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR, 1), Error, "setsockopt: E");
  assertThrows(() => getOption(libc, -1, LINUX.SOL_SOCKET, LINUX.SO_ERROR), Error, "getsockopt: EBADF");
});

test("growReceiveBuffer() tells what the system gives, as it was asked for", (libc, close) => {
  const fd = close(openSocket(libc, "datagram", "127.0.0.1"));
  const most = Number(Deno.readTextFileSync("/proc/sys/net/core/rmem_max"));
  assertEquals(growReceiveBuffer(libc, fd, 65_536), 65_536);
  const given = growReceiveBuffer(libc, fd, 2 * most);
  // Who may go beyond the limit gets all.
  assert(given === most || given === 2 * most, `${given} of ${most}`);
});

Deno.test({
  name: "countDropped() tells what a receive buffer had no room for",
  ignore: EMULATED || Deno.build.os !== "linux",
  fn() {
    const libc = openLibc()!;
    const receiver = bindSocket(libc, "datagram", { hostname: "127.0.0.1", port: 0 });
    const sender = openSocket(libc, "datagram", "127.0.0.1");
    try {
      setOption(libc, receiver, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, 8192);
      const to = encodeSockaddr(libc, addressOfSocket(libc, receiver));
      assertEquals(libc.symbols.connect(sender, to, to.length), 0);
      const batch = new DatagramBatch(libc, { capacity: 64, payload: 1000, named: false });
      assertEquals(countDropped(libc, receiver), 0);
      assertEquals(batch.send(sender, 0, 64), 64);
      const received = batch.receive(receiver);
      assert(received > 0 && received < 64, `${received} received`);
      assertEquals(countDropped(libc, receiver), 64 - received);
    } finally {
      libc.symbols.close(receiver);
      libc.symbols.close(sender);
      libc.close();
    }
  },
});
