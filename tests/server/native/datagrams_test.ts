import { assertEquals } from "@std/assert";
import { Epoll } from "../../../lib/native/epoll.ts";
import { type Libc, openLibc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { encodeSockaddr } from "../../../lib/native/sockaddr_in.ts";
import { connectMessages, listenNatively, type MessageConn } from "../../../lib/transport/mod.ts";
import { LIMITED } from "../../../server/events.ts";
import { DatagramGuard } from "../../../server/guard/datagram_guard.ts";
import { Datagrams } from "../../../server/native/datagrams.ts";
import { Outbox } from "../../../server/native/outbox.ts";
import type { WorkerEvent } from "../../../server/native/protocol.ts";
import { COUNTED, REFUSALS, SharedCounters } from "../../../server/native/shared_counters.ts";
import type { WorkerThread } from "../../../server/native/thread.ts";
import { bounded } from "../../helpers/bounded.ts";
import { linuxOnly } from "../../helpers/engines.ts";
import { freeUdpPort } from "../../helpers/free_port.ts";
import { noise } from "../../helpers/streams.ts";

const { ECONNREFUSED, EPERM, EAGAIN } = { ECONNREFUSED: 111, EPERM: 1, EAGAIN: 11 };

/** What stands in for sendmmsg(2): sends so many of them at the most, or fails. */
type Send = (fd: number, send: (most: number) => number) => number | { errno: number };

/** A socket of datagrams that is served in this thread, a turn at a time, with a sendmmsg(2) of the test's own. */
class OneSocket implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  readonly row;
  readonly datagrams: Datagrams;
  #libc: Libc;
  #epoll: Epoll;
  #outbox: Outbox;

  private constructor(
    readonly listening: Awaited<ReturnType<typeof listenNatively>>,
    readonly clients: readonly MessageConn[],
    send: Send,
  ) {
    const real = openLibc()!;
    let errno: number | undefined;
    const sendmmsg = (fd: number, headers: Uint32Array<ArrayBuffer>, count: number, flags: number) => {
      errno = undefined;
      const sent = send(fd, (most) => real.symbols.sendmmsg(fd, headers, Math.min(count, most), flags));
      if (typeof sent === "number") return sent;
      errno = sent.errno;
      return -1;
    };
    this.#libc = { ...real, errno: () => errno ?? real.errno(), symbols: { ...real.symbols, sendmmsg } } as Libc;
    this.#epoll = new Epoll(this.#libc);
    const shared = new SharedCounters(1);
    this.row = shared.row(0);
    this.#outbox = new Outbox((message) => {
      if (typeof message === "object" && "events" in message) this.events.push(...message.events);
    }, LIMITED.map(() => Infinity));
    const { fds: [fd], addr } = listening.sockets;
    const thread: WorkerThread = {
      libc: this.#libc,
      epoll: this.#epoll,
      endpoints: [{ fd: fd!, type: "datagram", addr, quit: true }],
      row: this.row,
      shared,
      outbox: this.#outbox,
      once: false,
      now: 0,
      begin: () => {},
      end: () => {},
    };
    this.datagrams = new Datagrams(thread, new DatagramGuard([addr]));
  }

  /** Binds a socket, and sends it a datagram of each of some clients, of which the nth has n bytes. */
  static async of(clients: number, send: Send): Promise<OneSocket> {
    const listening = await listenNatively({ transport: "udp", host: "127.0.0.1", port: 0 }, 1);
    const conns = [];
    for (let i = 0; i < clients; i++) conns.push(await connectMessages(listening.endpoint, { timeout: 5000 }));
    for (const [i, conn] of conns.entries()) await conn.send(noise(i + 1));
    return new OneSocket(listening, conns, send);
  }

  /** Serves what epoll tells of, once; returns what it was. */
  turn(timeout = 5000): number {
    const count = this.#epoll.wait(timeout);
    for (let i = 0; i < count; i++) this.datagrams.serve(0, this.#epoll.happened(i));
    this.#outbox.end();
    return count === 0 ? 0 : this.#epoll.happened(0);
  }

  /** Checks that these clients, and no others, have got their echo. */
  async assertEchoed(indexes: readonly number[]): Promise<void> {
    for (const i of indexes) assertEquals(await this.clients[i]!.receive(new Uint8Array(100)), noise(i + 1));
    assertEquals([this.row[COUNTED.messages], this.row[COUNTED.bytes]], [
      indexes.length,
      indexes.reduce((sum, i) => sum + i + 1, 0),
    ]);
    assertEquals(this.events.filter(({ type }) => type === "echoed").length, indexes.length);
  }

  /** How often each cause was told. */
  get failures(): string[] {
    return this.events.flatMap((event) => event.type === "failed" ? [event.cause] : []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.clients) conn.close();
    this.#epoll[Symbol.dispose]();
    this.listening.sockets.close();
    this.#libc.close();
    return Promise.resolve();
  }
}

const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

bounded("Datagrams sends the rest when the system takes a part of them at a time", async () => {
  await using socket = await OneSocket.of(20, (_, send) => send(3));
  socket.turn();
  await socket.assertEchoed(upTo(20));
  assertEquals(socket.failures, []);
}, linuxOnly);

bounded("Datagrams loses the one datagram that cannot be sent, tells of it, and sends the others", async () => {
  let sent = 0;
  await using socket = await OneSocket.of(20, (_, send) => {
    // The eighth never goes out.
    if (sent === 7) return ++sent && { errno: EPERM };
    const count = send(sent < 7 ? 7 - sent : 100);
    sent += count;
    return count;
  });
  socket.turn();
  await socket.assertEchoed(upTo(20).filter((i) => i !== 7));
  assertEquals(socket.failures, ["operation not permitted"]);
}, linuxOnly);

bounded(
  "Datagrams waits, without spinning, while the system takes none, and then sends them in their order",
  async () => {
    let full = true;
    await using socket = await OneSocket.of(5, (_, send) => full ? { errno: EAGAIN } : send(100));
    socket.turn();
    assertEquals([socket.row[COUNTED.messages], socket.failures], [0, []]);
    // What comes meanwhile is not read: only room to send counts, of which the system has told by now.
    await socket.clients[0]!.send(noise(1));
    full = false;
    assertEquals(socket.turn(), LINUX.EPOLLOUT);
    await socket.assertEchoed(upTo(5));
    assertEquals(socket.turn(), LINUX.EPOLLIN);
    assertEquals(socket.row[COUNTED.messages], 6);
    assertEquals(socket.turn(0), 0);
  },
  linuxOnly,
);

bounded("Datagrams loses none when ICMP tells again and again of others that were sent before", async () => {
  let refusals = 3;
  const dead = freeUdpPort();
  await using socket = await OneSocket.of(5, (fd, send) => {
    if (refusals-- <= 0) return send(100);
    const libc = openLibc()!;
    const to = encodeSockaddr(libc, { hostname: "127.0.0.1", port: dead });
    libc.symbols.sendto(fd, new Uint8Array(1), 1n, LINUX.MSG_DONTWAIT, to, to.length);
    libc.close();
    return { errno: ECONNREFUSED };
  });
  socket.turn();
  await socket.assertEchoed(upTo(5));
  assertEquals(socket.failures, Array(3).fill("connection refused"));
}, linuxOnly);

bounded("Datagrams drops a datagram that fails for ever, and goes on", async () => {
  await using socket = await OneSocket.of(3, () => ({ errno: EPERM }));
  socket.turn();
  await socket.assertEchoed([]);
  assertEquals(socket.failures, Array(3).fill("operation not permitted"));
}, linuxOnly);

bounded("Datagrams answers only who is to be answered, whatever is between them", async () => {
  const libc = openLibc()!;
  await using socket = await OneSocket.of(3, (_, send) => send(100));
  const to = encodeSockaddr(libc, socket.listening.sockets.addr);
  // From the served socket itself.
  for (let i = 0; i < 2; i++) {
    libc.symbols.sendto(socket.listening.sockets.fds[0]!, new Uint8Array(9), 9n, LINUX.MSG_DONTWAIT, to, to.length);
    await socket.clients[i]!.send(noise(i + 1));
  }
  libc.close();
  socket.turn();
  const refused = socket.events.flatMap((event) => event.type === "refused" ? [event.reason] : []);
  assertEquals([refused, socket.row[COUNTED.messages]], [["own address", "own address"], 5]);
  assertEquals(socket.row[COUNTED.refused + REFUSALS.indexOf("own address")], 2);
}, linuxOnly);
