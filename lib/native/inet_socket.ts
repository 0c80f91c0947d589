/**
 * IP sockets by their descriptors, which do not block.
 *
 * @module
 */

import { type Libc, succeeded } from "./libc.ts";
import { LINUX } from "./linux.ts";
import { decodeSockaddr, encodeSockaddr, type HostPort, SOCKADDR_IN6_BYTES } from "./sockaddr_in.ts";

/** A socket's type. */
export type InetSocketType = "stream" | "datagram";

/**
 * Opens a socket that does not block.
 *
 * @param libc The C library.
 * @param type Its type.
 * @param hostname An IP address of the family that it is to have.
 * @returns Its descriptor.
 * @throws The system's error.
 */
export function openSocket(libc: Libc, type: InetSocketType, hostname: string): number {
  const family = hostname.includes(":") ? LINUX.AF_INET6 : LINUX.AF_INET;
  const flags = (type === "stream" ? LINUX.SOCK_STREAM : LINUX.SOCK_DGRAM) | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC;
  return succeeded(libc, "socket", libc.symbols.socket(family, flags, 0));
}

/**
 * Sets an option of a socket.
 *
 * @param libc The C library.
 * @param fd The socket's descriptor.
 * @param level The level of the option.
 * @param option The option.
 * @param value Its value, an int.
 * @throws The system's error.
 */
export function setOption(libc: Libc, fd: number, level: number, option: number, value: number): void {
  const { setsockopt } = libc.symbols;
  succeeded(libc, "setsockopt", setsockopt(fd, level, option, new Int32Array([value]), 4));
}

/**
 * Reads an option of a socket.
 *
 * @param libc The C library.
 * @param fd The socket's descriptor.
 * @param level The level of the option.
 * @param option The option.
 * @returns Its value, an int.
 * @throws The system's error.
 */
export function getOption(libc: Libc, fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  succeeded(libc, "getsockopt", libc.symbols.getsockopt(fd, level, option, value, new Uint32Array([4])));
  return value[0]!;
}

/** How a socket is bound. */
export interface BindOptions {
  /** Whether other sockets of this program are bound to the same port, among which the kernel shares out what comes. */
  reusePort?: boolean;
  /** Whether each datagram comes with the address that it was sent to, from the very first on. */
  packetInfo?: boolean;
}

/**
 * Opens a socket and binds it. One on `::` takes IPv4 as well.
 *
 * @param libc The C library.
 * @param type Its type.
 * @param address Where.
 * @param options How.
 * @returns Its descriptor.
 * @throws The system's error.
 */
export function bindSocket(
  libc: Libc,
  type: InetSocketType,
  address: HostPort,
  { reusePort = false, packetInfo = false }: BindOptions = {},
): number {
  const fd = openSocket(libc, type, address.hostname);
  try {
    // So that a server can start again while connections of the last one are in TIME_WAIT; of datagrams two would share.
    if (type === "stream") setOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_REUSEADDR, 1);
    if (reusePort) setOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_REUSEPORT, 1);
    const six = address.hostname.includes(":");
    if (six) setOption(libc, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY, 0);
    if (packetInfo && six) setOption(libc, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, 1);
    else if (packetInfo) setOption(libc, fd, LINUX.IPPROTO_IP, LINUX.IP_PKTINFO, 1);
    const sockaddr = encodeSockaddr(libc, address);
    succeeded(libc, "bind", libc.symbols.bind(fd, sockaddr, sockaddr.length));
    return fd;
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/**
 * Tells where a socket is bound.
 *
 * @param libc The C library.
 * @param fd Its descriptor.
 * @returns The IP address and the port.
 * @throws The system's error.
 */
export function addressOfSocket(libc: Libc, fd: number): HostPort {
  const sockaddr = new Uint8Array(new ArrayBuffer(SOCKADDR_IN6_BYTES));
  const length = new Uint32Array([sockaddr.length]);
  succeeded(libc, "getsockname", libc.symbols.getsockname(fd, sockaddr, length));
  return decodeSockaddr(libc, sockaddr);
}

/**
 * Asks for a receive buffer, beyond the limit of the system (`net.core.rmem_max`) where the program may.
 *
 * @param libc The C library.
 * @param fd The socket's descriptor.
 * @param bytes How large, as socket(7) counts: the kernel takes twice as much, for what it needs itself.
 * @returns How large it is now, counted alike.
 */
export function growReceiveBuffer(libc: Libc, fd: number, bytes: number): number {
  const { setsockopt } = libc.symbols;
  const size = new Int32Array([bytes]);
  if (setsockopt(fd, LINUX.SOL_SOCKET, LINUX.SO_RCVBUFFORCE, size, 4) < 0) {
    setsockopt(fd, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, size, 4);
  }
  return getOption(libc, fd, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF) / 2;
}

/**
 * Tells how many datagrams a socket has dropped since it was opened, because its receive buffer had no room.
 *
 * @param libc The C library.
 * @param fd The socket's descriptor.
 * @returns How many, modulo 2³².
 * @throws The system's error.
 */
export function countDropped(libc: Libc, fd: number): number {
  const words = new Uint32Array(LINUX.SK_MEMINFO_VARS);
  const length = new Uint32Array([words.byteLength]);
  const { getsockopt } = libc.symbols;
  succeeded(libc, "getsockopt", getsockopt(fd, LINUX.SOL_SOCKET, LINUX.SO_MEMINFO, words, length));
  return words[LINUX.SK_MEMINFO_DROPS]!;
}
