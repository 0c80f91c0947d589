import { assertEquals, assertNotEquals } from "@std/assert";
import { SOCKADDR_IN6_BYTES } from "../../../lib/native/sockaddr_in.ts";
import { Connections, STATE } from "../../../server/native/connections.ts";

const peer = (byte: number) => new Uint8Array(SOCKADDR_IN6_BYTES).fill(byte);

/** What a row holds. */
function row(connections: Connections, fd: number) {
  const { state, endpoint, number, startedAt, messages, bytes, told, peers } = connections;
  const from = fd * SOCKADDR_IN6_BYTES;
  return {
    row: [state, endpoint, number, startedAt, messages, bytes, told].map((column) => column[fd]),
    peer: [...new Set(peers.subarray(from, from + SOCKADDR_IN6_BYTES))],
  };
}

Deno.test("Connections.begin() fills a row, whatever was in it before", () => {
  const connections = new Connections();
  const first = connections.begin(5, 1, 7, peer(1), 100);
  connections.messages[5] = 3;
  connections.bytes[5] = 30;
  connections.told[5] = 1;
  connections.finish(5);
  assertEquals(connections.state[5], STATE.free);
  const second = connections.begin(5, 2, 8, peer(2), 200);
  assertEquals(row(connections, 5), { row: [STATE.reading, 2, 8, 200, 0, 0, 0], peer: [2] });
  // An event of the first is not taken for one of the second.
  assertNotEquals(first, second);
});

Deno.test("Connections.begin() makes room for any descriptor, and keeps the rows there are", () => {
  const connections = new Connections();
  const fds = [3, 255, 256, 1000, 70_000];
  for (const [i, fd] of fds.entries()) {
    connections.begin(fd, i, i + 1, peer(i + 1), i);
    connections.bytes[fd] = fd;
    assertEquals(connections.limit, fd + 1);
  }
  for (const [i, fd] of fds.entries()) {
    assertEquals(row(connections, fd), { row: [STATE.reading, i, i + 1, i, 0, fd, 0], peer: [i + 1] });
  }
  assertEquals(connections.state.filter((state) => state !== STATE.free).length, fds.length);
});

Deno.test("Connections keeps generations apart also when its columns grow", () => {
  const connections = new Connections();
  const first = connections.begin(9, 0, 1, peer(1), 0);
  connections.finish(9);
  connections.begin(100_000, 0, 2, peer(2), 0);
  assertNotEquals(connections.begin(9, 0, 3, peer(3), 0), first);
});
