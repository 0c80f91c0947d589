/**
 * What the rest of the program sees of a socket. Each interface is a subset of what Deno's own objects have, so that a
 * TCP or Unix connection needs no wrapper on the hot path.
 *
 * @module
 */

/** The address of an IP socket, as the operating system tells it. */
export interface InetAddress {
  /** A stream or datagrams. */
  transport: "tcp" | "udp";
  /** An IP address without brackets. */
  hostname: string;
  /** The port. */
  port: number;
}

/** The address of a Unix socket. */
export interface UnixAddress {
  /** A stream or datagrams. */
  transport: "unix" | "unixpacket";
  /** The path of the socket file; empty or `null` where the socket has none. */
  path: string | null;
}

/** The address of a socket. */
export type Address = InetAddress | UnixAddress;

/** One side of a connected byte stream. */
export interface StreamConn {
  /** This side's address. */
  readonly localAddr: Address;
  /** The other side's address. */
  readonly remoteAddr: Address;
  /**
   * Reads what is there, waiting until something is.
   *
   * @param buffer Where to put it.
   * @returns How many bytes were read, or `null` once the other side has ended its half.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Writes, possibly less than all.
   *
   * @param bytes What to write.
   * @returns How many bytes were written.
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends this side's half of the stream (FIN); reading goes on. */
  closeWrite(): Promise<void>;
  /** Closes both halves and frees the socket. A pending read or write fails. */
  close(): void;
}

/** A socket that accepts byte streams. */
export interface StreamListener {
  /** Where it listens, with the real port. */
  readonly addr: Address;
  /** Waits for the next connection. */
  accept(): Promise<StreamConn>;
  /** Stops listening. A pending accept fails. */
  close(): void;
}

/** A bound socket that sends and receives datagrams. */
export interface DatagramSocket {
  /** Where it is bound, with the real port. */
  readonly addr: Address;
  /**
   * Waits for the next datagram.
   *
   * @param buffer Where to put it; what does not fit is lost.
   * @returns The datagram, a view of `buffer`, and who sent it.
   */
  receive(buffer: Uint8Array): Promise<[Uint8Array, Address]>;
  /**
   * Sends one datagram.
   *
   * @param bytes The datagram.
   * @param to Who gets it.
   * @returns How many bytes were sent.
   */
  send(bytes: Uint8Array, to: Address): Promise<number>;
  /** Frees the socket. A pending receive fails. */
  close(): void;
}

/** A datagram socket opened to talk to one server. */
export interface DatagramClient {
  /** The socket, bound to an address of its own. */
  socket: DatagramSocket;
  /** The server's address. */
  peer: Address;
}

/** How long an operation may take, and what else may end it. */
export interface Bounds {
  /** The most it may take, in milliseconds. */
  timeout: number;
  /** Ends it early. */
  signal?: AbortSignal;
}
