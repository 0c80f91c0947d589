import { assertEquals } from "@std/assert";
import { planOf } from "../../../../../client/bench/bench.ts";
import { LoadCounters } from "../../../../../client/bench/load/counters.ts";
import { makeNoise } from "../../../../../client/bench/load/exchange/noise.ts";
import { makeDatagramBuffers } from "../../../../../client/bench/load/native/datagram_buffers.ts";
import { NativeDatagramLink } from "../../../../../client/bench/load/native/datagram_link.ts";
import type { SocketLoop } from "../../../../../client/bench/load/native/socket_loop.ts";
import { LoadSchedule } from "../../../../../client/bench/load/schedule.ts";
import { openSocket } from "../../../../../lib/native/inet_socket.ts";
import { openLibc } from "../../../../../lib/native/libc.ts";
import { LINUX } from "../../../../../lib/native/linux.ts";
import { encodeSockaddr } from "../../../../../lib/native/sockaddr_in.ts";
import { bounded } from "../../../../helpers/bounded.ts";

bounded(
  "NativeDatagramLink.ready() takes more answers than fit into one call, as a load that is behind sends more",
  async () => {
    const libc = openLibc()!;
    const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = server.addr as Deno.NetAddr;
    const fd = openSocket(libc, "datagram", hostname);
    const to = encodeSockaddr(libc, { hostname, port });

    const plan = planOf({ transport: "udp", host: hostname, port }, { rate: 1000, messages: 192 });
    const schedule = new LoadSchedule(plan);
    schedule.begin(0);
    const counters = new LoadCounters(plan, schedule);
    const loop = { libc, flushSoon() {}, yieldSoon() {}, close: (fd: number) => libc.symbols.close(fd) };
    const link = new NativeDatagramLink(
      loop as unknown as SocketLoop,
      makeDatagramBuffers(libc, plan.size, to),
      fd,
      { plan, schedule, counters, noise: makeNoise() },
      () => 0,
    );
    link.push(192);
    link.flush();
    for (let i = 0; i < 192; i++) await server.send(...await server.receive());
    link.ready(LINUX.EPOLLIN);
    assertEquals(counters.latencies.count, 192);
    link.cut();
    server.close();
    libc.close();
  },
  { ignore: Deno.build.os !== "linux" },
);
