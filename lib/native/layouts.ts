/**
 * Whether the system is as this folder takes it to be.
 *
 * @module
 */

import { DatagramBatch, NAME_STRIDE } from "./datagram_batch.ts";
import { Epoll } from "./epoll.ts";
import { addressOfSocket, bindSocket, setOption } from "./inet_socket.ts";
import { type Libc, openLibc } from "./libc.ts";
import { LINUX } from "./linux.ts";
import { decodeSockaddr, encodeSockaddr, type HostPort } from "./sockaddr_in.ts";
import { Wakeup } from "./wakeup.ts";

let checked: { why: string | undefined } | undefined;

/**
 * Tells why sockets cannot be used natively here. The first time it tries what the layouts of structures decide: what is
 * sent over a socket of its own on the loopback must come back in every field.
 *
 * @param worker The main file of the thread that is to use them, which the program must be allowed to read.
 * @returns Why, in a few words; `undefined` where they can.
 */
export function whyNotNative(worker: URL): string | undefined {
  checked ??= { why: findOut() };
  if (checked.why !== undefined || worker.protocol !== "file:") return checked.why;
  const { state } = Deno.permissions.querySync({ name: "read", path: worker });
  return state === "granted" ? undefined : "they need the permission --allow-read for the file of their worker";
}

function findOut(): string | undefined {
  if (Deno.build.os !== "linux") return `they need Linux, and this is ${Deno.build.os}`;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "they need the permission --allow-ffi";
  const libc = openLibc();
  if (libc === undefined) return "they need the C library of GNU (libc.so.6)";
  try {
    return checkEpoll(libc) ?? checkDatagrams(libc, "127.0.0.1") ?? checkDatagrams(libc, "::1");
  } catch (error) {
    return (error as Error).message;
  } finally {
    libc.close();
  }
}

/** Any 32 bits, so that none of an event's can be mistaken for others. */
const TAG = 0x5ca1ab1e;

function checkEpoll(libc: Libc): string | undefined {
  using epoll = new Epoll(libc);
  using wakeup = new Wakeup(libc);
  epoll.add(wakeup.fd, LINUX.EPOLLIN, TAG);
  wakeup.wake();
  wakeup.wake();
  if (epoll.wait(0) !== 1 || epoll.fd(0) !== wakeup.fd || epoll.tag(0) !== TAG || epoll.happened(0) !== LINUX.EPOLLIN) {
    return "struct epoll_event is not as expected";
  }
  return wakeup.take() === 2 ? undefined : "eventfd is not as expected";
}

function checkDatagrams(libc: Libc, hostname: string): string | undefined {
  let fd;
  try {
    fd = bindSocket(libc, "datagram", { hostname, port: 0 });
  } catch (error) {
    // A machine without IPv6 can do without.
    if (hostname.includes(":")) return undefined;
    throw error;
  }
  try {
    const [level, ask, told] = hostname.includes(":")
      ? [LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, LINUX.IPV6_PKTINFO]
      : [LINUX.IPPROTO_IP, LINUX.IP_PKTINFO, LINUX.IP_PKTINFO];
    setOption(libc, fd, level, ask, 1);
    const own = addressOfSocket(libc, fd);
    const batch = new DatagramBatch(libc, { capacity: 4, payload: 64, control: 64 });
    const name = encodeSockaddr(libc, own);
    for (const [index, length] of [3, 5].entries()) {
      batch.payloads.fill(length, index * batch.payload, index * batch.payload + length);
      batch.names.set(name, index * NAME_STRIDE);
      batch.setNameLength(index, name.length);
      batch.setControlLength(index, 0);
      batch.setLength(index, length);
    }
    if (batch.send(fd, 0, 2) !== 2) return "sendmmsg is not as expected";
    batch.payloads.fill(0);
    batch.names.fill(0);
    if (batch.receive(fd) !== 2) return "recvmmsg is not as expected";
    const asExpected = [3, 5].every((length, index) => {
      const from = index * batch.payload;
      return batch.length(index) === length && batch.flags(index) === 0 &&
        batch.payloads.subarray(from, from + length + 1).join() === [...Array(length).fill(length), 0].join() &&
        isSame(decodeSockaddr(libc, batch.names, index * NAME_STRIDE), own) &&
        batch.findControl(index, level, told) === index * batch.control + 16;
    });
    return asExpected ? undefined : "struct mmsghdr is not as expected";
  } finally {
    libc.symbols.close(fd);
  }
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.hostname === b.hostname && a.port === b.port;
}
