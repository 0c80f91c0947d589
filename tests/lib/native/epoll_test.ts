import { assertEquals, assertThrows } from "@std/assert";
import { Epoll } from "../../../lib/native/epoll.ts";
import { openLibc } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { Wakeup } from "../../../lib/native/wakeup.ts";

/** Registers a test with something to wait with, and descriptors to wait for. */
function test(name: string, run: (epoll: Epoll, wakeups: Wakeup[]) => void): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    fn: () => {
      const libc = openLibc()!;
      const epoll = new Epoll(libc);
      const wakeups = Array.from({ length: 600 }, () => new Wakeup(libc));
      try {
        run(epoll, wakeups);
      } finally {
        for (const wakeup of wakeups) wakeup[Symbol.dispose]();
        epoll[Symbol.dispose]();
        libc.close();
      }
    },
  });
}

/** What the events of a wait say. */
function events(epoll: Epoll, count: number) {
  return Array.from({ length: count }, (_, i) => [epoll.fd(i), epoll.tag(i), epoll.happened(i)]);
}

test("Epoll.wait() tells the descriptor, the tag and the events of each, to the last bit", (epoll, [a, b]) => {
  epoll.add(a!.fd, LINUX.EPOLLIN, 0xffff_ffff);
  epoll.add(b!.fd, LINUX.EPOLLIN | LINUX.EPOLLOUT, 0x8000_0001);
  a!.wake();
  b!.wake();
  assertEquals(events(epoll, epoll.wait(1000)).sort(([x], [y]) => x! - y!), [
    [a!.fd, 0xffff_ffff, LINUX.EPOLLIN],
    [b!.fd, 0x8000_0001, LINUX.EPOLLIN | LINUX.EPOLLOUT],
  ]);
});

test("Epoll.wait() tells again what has not been taken, and nothing once it has", (epoll, [wakeup]) => {
  epoll.add(wakeup!.fd, LINUX.EPOLLIN, 7);
  assertEquals(epoll.wait(0), 0);
  wakeup!.wake();
  assertEquals([epoll.wait(0), epoll.wait(-1)], [1, 1]);
  wakeup!.take();
  assertEquals(epoll.wait(1), 0);
});

test("Epoll.change() and remove() hold from the next wait on", (epoll, [wakeup]) => {
  const { fd } = wakeup!;
  epoll.add(fd, LINUX.EPOLLIN, 1);
  wakeup!.wake();
  epoll.change(fd, 0, 2);
  assertEquals(epoll.wait(0), 0);
  epoll.change(fd, LINUX.EPOLLIN, 3);
  assertEquals(events(epoll, epoll.wait(0)), [[fd, 3, LINUX.EPOLLIN]]);
  epoll.remove(fd);
  assertEquals(epoll.wait(0), 0);
  assertThrows(() => epoll.change(fd, LINUX.EPOLLIN), Error, "epoll_ctl: ENOENT");
  assertThrows(() => epoll.add(-1, LINUX.EPOLLIN), Error, "epoll_ctl: EBADF");
});

test("Epoll.wait() gets to each of many in turn, though it tells of no more than some at once", (epoll, wakeups) => {
  for (const [tag, { fd }] of wakeups.entries()) epoll.add(fd, LINUX.EPOLLIN, tag);
  for (const wakeup of wakeups) wakeup.wake();
  const seen = new Set<number>();
  const first = epoll.wait(0);
  for (let i = 0; i < first; i++) seen.add(epoll.tag(i));
  const second = epoll.wait(0);
  for (let i = 0; i < second; i++) seen.add(epoll.tag(i));
  assertEquals([first < 600, seen.size], [true, 600]);
});

test("Wakeup.take() tells how often it was woken since, in any thread that has its descriptor", (_, [wakeup]) => {
  const libc = openLibc()!;
  const other = new Wakeup(libc, wakeup!.fd);
  assertEquals([wakeup!.take(), other.fd], [0, wakeup!.fd]);
  wakeup!.wake();
  other.wake();
  other.wake();
  assertEquals([other.take(), wakeup!.take()], [3, 0]);
  libc.close();
});
