import { assert, assertEquals } from "@std/assert";
import { addressOfSocket, bindSocket } from "../../../../lib/native/inet_socket.ts";
import { type Libc, openLibc } from "../../../../lib/native/libc.ts";
import { LINUX } from "../../../../lib/native/linux.ts";
import { encodeSockaddr } from "../../../../lib/native/sockaddr_in.ts";
import { Poll } from "../../../../client/ping/native/poll.ts";
import { UdpLink } from "../../../../client/ping/native/udp_link.ts";
import { ProbeFormat } from "../../../../client/ping/probe.ts";

/** Sends a probe from a socket to itself, and returns what the link tells of it. */
function selfProbe(libc: Libc): { at: number; wakeup: number | undefined } | undefined {
  const fd = bindSocket(libc, "datagram", { hostname: "127.0.0.1", port: 0 });
  try {
    let told: { at: number; wakeup: number | undefined } | undefined;
    const link = new UdpLink(libc, fd, encodeSockaddr(libc, addressOfSocket(libc, fd)), {
      format: new ProbeFormat(64),
      now: () => performance.now() * 1e6,
      answered: (_, at, wakeup) => told = { at, wakeup },
      failed() {},
      end() {},
    });
    const poll = new Poll(libc, [fd]);
    poll.setTimeout(5e9);
    assertEquals(link.send(new Uint8Array(64)), 0);
    poll.wait();
    link.read(poll.happened(0));
    link.tell();
    return told;
  } finally {
    libc.symbols.close(fd);
  }
}

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("UdpLink tells how long after the kernel an answer was read", linux, () => {
  const libc = openLibc()!;
  const told = selfProbe(libc)!;
  assert(told.wakeup! >= 0 && told.wakeup! < told.at, `${told.wakeup}`);
  libc.close();
});

Deno.test(
  "UdpLink does without the kernel's time where there is none, or where the clock is set meanwhile",
  linux,
  () => {
    const libc = openLibc()!;
    const { symbols } = libc;
    const setsockopt: typeof symbols.setsockopt = (fd, level, option, value, length) =>
      option === LINUX.SO_TIMESTAMPNS ? -1 : symbols.setsockopt(fd, level, option, value, length);
    assertEquals(selfProbe({ ...libc, symbols: { ...symbols, setsockopt } })?.wakeup, undefined);
    let set = 0;
    const clock_gettime: typeof symbols.clock_gettime = (clock, time) => {
      const result = symbols.clock_gettime(clock, time);
      // An hour later from the tenth reading on: the first nine are of the link's beginning.
      if (set++ >= 9) (time as Uint32Array)[0]! += 3600;
      return result;
    };
    const told = selfProbe({ ...libc, symbols: { ...symbols, clock_gettime } });
    assert(set > 9 && told !== undefined);
    assertEquals(told.wakeup, undefined);
    libc.close();
  },
);
