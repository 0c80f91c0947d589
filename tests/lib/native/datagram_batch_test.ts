import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DatagramBatch, type DatagramBatchOptions, NAME_STRIDE } from "../../../lib/native/datagram_batch.ts";
import { addressOfSocket, bindSocket, setOption } from "../../../lib/native/inet_socket.ts";
import { errnoCode, type Libc, openLibc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { decodeSockaddr, encodeSockaddr, type HostPort } from "../../../lib/native/sockaddr_in.ts";
import { EMULATED } from "../../helpers/emulated.ts";
import { assertSameBytes, noise } from "../../helpers/streams.ts";

/** Two sockets of datagrams, and who they are. */
interface Pair {
  libc: Libc;
  fds: [number, number];
  addresses: [HostPort, HostPort];
}

/** Registers a test with two sockets of each family. */
function test(name: string, run: (pair: Pair) => void, ignore = false): void {
  for (const hostname of ["127.0.0.1", "::1"]) {
    const fn = () => {
      const libc = openLibc()!;
      const fds = [0, 1].map(() => bindSocket(libc, "datagram", { hostname, port: 0 })) as [number, number];
      try {
        run({ libc, fds, addresses: fds.map((fd) => addressOfSocket(libc, fd)) as [HostPort, HostPort] });
      } finally {
        for (const fd of fds) libc.symbols.close(fd);
        libc.close();
      }
    };
    Deno.test({ name: `${name} (${hostname})`, ignore: ignore || Deno.build.os !== "linux", fn });
  }
}

/** Fills a batch with datagrams to somebody, and sends them. */
function sendAll(libc: Libc, batch: DatagramBatch, fd: number, to: HostPort, datagrams: readonly Uint8Array[]): number {
  const name = encodeSockaddr(libc, to);
  for (const [i, datagram] of datagrams.entries()) {
    batch.payloads.set(datagram, i * batch.payload);
    batch.setLength(i, datagram.length);
    batch.names.set(name, i * NAME_STRIDE);
    batch.setNameLength(i, name.length);
    batch.setControlLength(i, 0);
  }
  return batch.send(fd, 0, datagrams.length);
}

/** What a batch has received: who sent it, and its bytes. */
function received(libc: Libc, batch: DatagramBatch, count: number): [HostPort, Uint8Array][] {
  return Array.from({ length: count }, (_, i) => {
    const from = i * batch.payload;
    const bytes = batch.payloads.slice(from, from + Math.min(batch.length(i), batch.payload));
    return [decodeSockaddr(libc, batch.names, i * NAME_STRIDE), bytes];
  });
}

const batchOf = (libc: Libc, options: Partial<DatagramBatchOptions> = {}) =>
  new DatagramBatch(libc, { capacity: 8, payload: 65_536, ...options });

test("DatagramBatch.receive() has each datagram's bytes and sender when they are of any size", ({ libc, fds, addresses }) => {
  const [out, into] = [batchOf(libc), batchOf(libc)];
  const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(2000), fc.constant(65_507)), { minLength: 1, maxLength: 3 });
  fc.assert(fc.property(sizes, fc.nat(), (sizes, seed) => {
    const datagrams = sizes.map((size, i) => noise(size, seed + i));
    assertEquals(sendAll(libc, out, fds[0], addresses[1], datagrams), datagrams.length);
    assertEquals(into.receive(fds[1]), datagrams.length);
    for (const [i, [from, bytes]] of received(libc, into, datagrams.length).entries()) {
      assertEquals([from, into.flags(i)], [addresses[0], 0]);
      assertSameBytes(bytes, datagrams[i]!);
    }
  }));
});

test("DatagramBatch.send() sends back what was received, as it is", ({ libc, fds, addresses }) => {
  const [client, server] = [batchOf(libc), batchOf(libc)];
  // Twice, as what is left of the first round must not show.
  for (const lengths of [[0, 1, 5000], [65_507, 0], [3]]) {
    const datagrams = lengths.map((length) => noise(length, 7));
    sendAll(libc, client, fds[0], addresses[1], datagrams);
    const count = server.receive(fds[1]);
    for (let i = 0; i < count; i++) server.setLength(i, server.length(i));
    assertEquals([server.send(fds[1], 0, 1), server.send(fds[1], 1, count)], [1, count > 1 ? count - 1 : 0]);
    assertEquals(client.receive(fds[0]), datagrams.length);
    for (const [i, [from, bytes]] of received(libc, client, datagrams.length).entries()) {
      assertEquals(from, addresses[1]);
      assertSameBytes(bytes, datagrams[i]!);
    }
  }
});

test("DatagramBatch.receive() takes no more than there is room for, and leaves the rest", ({ libc, fds, addresses }) => {
  const [out, into] = [batchOf(libc), batchOf(libc, { capacity: 3 })];
  sendAll(libc, out, fds[0], addresses[1], Array.from({ length: 8 }, (_, i) => noise(i + 1)));
  const lengths = () => {
    const count = into.receive(fds[1]);
    return Array.from({ length: count }, (_, i) => into.length(i));
  };
  assertEquals([lengths(), lengths(), lengths()], [[1, 2, 3], [4, 5, 6], [7, 8]]);
  assertEquals([into.receive(fds[1]), errnoCode(libc.errno())], [-1, "EAGAIN"]);
});

test(
  "DatagramBatch.flags() tells that a datagram was cut off, and that the next one was not",
  ({ libc, fds, addresses }) => {
    const [out, into] = [batchOf(libc), batchOf(libc, { payload: 100 })];
    sendAll(libc, out, fds[0], addresses[1], [noise(101), noise(100)]);
    assertEquals(into.receive(fds[1]), 2);
    assertEquals([0, 1].map((i) => into.flags(i) & LINUX.MSG_TRUNC), [LINUX.MSG_TRUNC, 0]);
    assertSameBytes(into.payloads.slice(0, 100), noise(101).slice(0, 100));
    assertEquals(into.length(1), 100);
    // Room for control messages that is too small shows as well.
    const small = batchOf(libc, { control: 8 });
    setOption(libc, fds[1], LINUX.SOL_SOCKET, LINUX.SO_TIMESTAMPNS, 1);
    sendAll(libc, out, fds[0], addresses[1], [noise(1)]);
    assertEquals([small.receive(fds[1]), small.flags(0) & LINUX.MSG_CTRUNC], [1, LINUX.MSG_CTRUNC]);
  },
  EMULATED,
);

test(
  "DatagramBatch.findControl() finds each control message of each datagram, and no other",
  ({ libc, fds, addresses }) => {
    const six = addresses[0].hostname.includes(":");
    const [level, ask, told, local] = six
      ? [LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, LINUX.IPV6_PKTINFO, 0]
      : [LINUX.IPPROTO_IP, LINUX.IP_PKTINFO, LINUX.IP_PKTINFO, 4];
    setOption(libc, fds[1], level, ask, 1);
    setOption(libc, fds[1], LINUX.SOL_SOCKET, LINUX.SO_TIMESTAMPNS, 1);
    const [out, into] = [batchOf(libc), batchOf(libc, { control: 128 })];
    const before = BigInt(Date.now() - 1000);
    sendAll(libc, out, fds[0], addresses[1], [noise(1), noise(2)]);
    assertEquals(into.receive(fds[1]), 2);
    const view = new DataView(into.controls.buffer);
    for (const i of [0, 1]) {
      const time = into.findControl(i, LINUX.SOL_SOCKET, LINUX.SO_TIMESTAMPNS);
      assertEquals(view.getBigInt64(time, true) * 1000n >= before - 1000n, true);
      const info = into.findControl(i, level, told) + local;
      const address = into.controls.subarray(info, info + (six ? 16 : 4));
      assertEquals([...address], six ? [...Array(15).fill(0), 1] : [127, 0, 0, 1]);
      assertEquals(into.findControl(i, LINUX.IPPROTO_TCP, told), -1);
    }
    // None comes with the next one, which is asked for nothing.
    setOption(libc, fds[1], level, ask, 0);
    sendAll(libc, out, fds[0], addresses[1], [noise(1)]);
    assertEquals([into.receive(fds[1]), into.findControl(0, level, told)], [1, -1]);
  },
  EMULATED,
);

test("DatagramBatch.receive() tells of an ICMP refusal by the queue of errors", ({ libc, fds, addresses }) => {
  const six = addresses[0].hostname.includes(":");
  const [level, option] = six ? [LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVERR] : [LINUX.IPPROTO_IP, LINUX.IP_RECVERR];
  setOption(libc, fds[0], level, option, 1);
  const [out, errors] = [batchOf(libc), batchOf(libc, { payload: 4, control: 128 })];
  const gone = bindSocket(libc, "datagram", { hostname: addresses[0].hostname, port: 0 });
  const to = addressOfSocket(libc, gone);
  libc.symbols.close(gone);
  sendAll(libc, out, fds[0], to, [noise(9)]);
  assertEquals([out.receive(fds[0]), errnoCode(libc.errno())], [-1, "ECONNREFUSED"]);
  assertEquals(errors.receive(fds[0], LINUX.MSG_ERRQUEUE), 1);
  const at = errors.findControl(0, level, option);
  assertEquals(errnoCode(new DataView(errors.controls.buffer).getUint32(at, true)), "ECONNREFUSED");
  const [[whom, bytes]] = received(libc, errors, 1) as [[HostPort, Uint8Array]];
  assertEquals([whom, bytes], [to, noise(9).subarray(0, 4)]);
  assertEquals(errors.receive(fds[0], LINUX.MSG_ERRQUEUE), -1);
});
