/**
 * Numbers of Linux that its calls take and give, the same on x86-64 and ARM64.
 *
 * @module
 */

/** By the names that the kernel's headers have for them; each group says which. */
export const LINUX = {
  // linux/socket.h: families, types of socket, and flags of calls.
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  MSG_CTRUNC: 0x8,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_ERRQUEUE: 0x2000,
  MSG_NOSIGNAL: 0x4000,
  SHUT_RD: 0,
  SHUT_WR: 1,

  // asm-generic/socket.h: the level of every kind of socket, and its options.
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_RCVBUFFORCE: 33,
  SO_TIMESTAMPNS: 35,
  SO_MEMINFO: 55,

  // linux/in.h and linux/in6.h: levels of IPv4 and IPv6, their options, and what a control message of theirs is.
  IPPROTO_IP: 0,
  IP_PKTINFO: 8,
  IP_RECVERR: 11,
  IPPROTO_IPV6: 41,
  IPV6_RECVERR: 25,
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_PKTINFO: 50,

  // linux/tcp.h.
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,

  // linux/eventpoll.h.
  EPOLLIN: 0x1,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLL_CLOEXEC: 0o2000000,

  // linux/sock_diag.h: how many words SO_MEMINFO tells, and which of them counts what was dropped.
  SK_MEMINFO_VARS: 9,
  SK_MEMINFO_DROPS: 8,

  // linux/eventfd.h.
  EFD_NONBLOCK: 0o4000,
  EFD_CLOEXEC: 0o2000000,

  // asm-generic/ioctls.h: how many bytes wait that a socket has sent, as an int.
  TIOCOUTQ: 0x5411n,

  // asm-generic/fcntl.h: what a file was opened for.
  F_GETFL: 3,
  O_ACCMODE: 3,
  O_RDWR: 2,

  // linux/time.h.
  CLOCK_REALTIME: 0,
} as const;
