/**
 * What the rest of the program sees of a socket, of an endpoint, and of a transport. The conversations are subsets of
 * what Deno's own objects have, so that a TCP or Unix connection needs no wrapper on the hot path.
 *
 * @module
 */

/** The value of an endpoint's option: a switch is `true`. */
export type EndpointValue = boolean | number | string;

/** An endpoint on an IP network. */
export interface InetEndpoint {
  /** The name of a transport, such as `tcp` or `udp`. */
  transport: string;
  /** A name or an IP address; an IPv6 address without brackets. */
  host: string;
  /** 0 to 65535; 0 lets the kernel choose. */
  port: number;
  /** Options of this one endpoint, which are written behind `?`. */
  options?: Readonly<Record<string, EndpointValue>>;
}

/** An endpoint in the file system. */
export interface UnixEndpoint {
  /** The name of a transport, such as `unix` or `unixgram`. */
  transport: string;
  /** The path of the socket file. */
  path: string;
  /** Options of this one endpoint, which are written behind `?`. */
  options?: Readonly<Record<string, EndpointValue>>;
}

/** A place to listen on or to connect to. */
export type Endpoint = InetEndpoint | UnixEndpoint;

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

/** One side of a conversation in whole messages with one peer. */
export interface MessageConn {
  /** This side's address. */
  readonly localAddr: Address;
  /** The other side's address. */
  readonly remoteAddr: Address;
  /**
   * Waits for the next message of the peer.
   *
   * @param buffer Where to put it; what does not fit is lost.
   * @returns The message, a view of `buffer`, or `null` once the peer has ended the conversation, which it cannot where
   * messages are datagrams.
   * @throws The operating system's error. Where messages are datagrams, a later one may come all the same; else the
   * conversation has broken.
   */
  receive(buffer: Uint8Array): Promise<Uint8Array | null>;
  /**
   * Sends a message. Messages go out in the order of the calls, also where several wait.
   *
   * @param message The message; it must not change before the promise resolves.
   * @throws An error with the code `EMSGSIZE` where it is too long; the next one may go well.
   */
  send(message: Uint8Array): Promise<void>;
  /** Ends the conversation and frees the socket. A pending receive fails. */
  close(): void;
}

/** A bound socket that sends datagrams to, and receives them from, any number of peers. */
export interface DatagramSocket {
  /** Where it is bound, with the real port. */
  readonly addr: Address;
  /**
   * Waits for the next datagram.
   *
   * @param buffer Where to put it; what does not fit is lost.
   * @returns The datagram, a view of `buffer`, and who sent it. A sender whose path is `null` cannot be answered: it has
   * none, or one that is not UTF-8, and of such a one's datagram only that it came can be told, not what is in it.
   */
  receive(buffer: Uint8Array): Promise<[Uint8Array, Address]>;
  /**
   * Sends one datagram. No peer holds up others: where one does not read, its datagrams are lost.
   *
   * @param bytes The datagram, which the caller may change afterwards.
   * @param to Who gets it.
   * @returns How many bytes were sent.
   * @throws An error with the code `EAGAIN` where the peer does not read and it is known at once that this one is lost.
   */
  send(bytes: Uint8Array, to: Address): Promise<number>;
  /** Frees the socket. A pending receive fails. */
  close(): void;
}

/** A socket that accepts conversations. */
export interface Listener<C> {
  /** Where it listens, with the real port. */
  readonly addr: Address;
  /** Waits for the next conversation. */
  accept(): Promise<C>;
  /** Stops listening. A pending accept fails. */
  close(): void;
}

/** How long an operation may take, and what else may end it. */
export interface Bounds {
  /** The most it may take, in milliseconds. */
  timeout: number;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** An option that may stand behind `?` in an endpoint. `T` is the type of its value. */
export interface EndpointOption<T extends EndpointValue = EndpointValue> {
  /** What the help calls its value; a switch has none. */
  value?: string;
  /** What it does, for the help. */
  help: string;
  /** Reads what the user wrote behind `=`; throws a `UsageError`. */
  parse(text: string): T;
}

/** The options that an endpoint may carry, by name. */
export type EndpointOptions = Readonly<Record<string, EndpointOption>>;

/** What an endpoint is for. */
export type Side = "listen" | "connect";

/** What all transports have. */
export interface TransportBase {
  /** What it is, in a few words for the help. */
  readonly help: string;
  /** How its endpoints are written behind the `transport:`: a host and a port, or a path. */
  readonly form: "inet" | "path";
  /** The options of an endpoint that is listened on. */
  readonly listenOptions?: EndpointOptions;
  /** The options of an endpoint that is connected to. */
  readonly connectOptions?: EndpointOptions;
}

/** A transport of byte streams. Its functions throw the operating system's error. */
export interface StreamTransport extends TransportBase {
  /** Which kind of conversation it carries. */
  readonly kind: "stream";
  /** Listens for connections. */
  listen(endpoint: Endpoint): Listener<StreamConn> | Promise<Listener<StreamConn>>;
  /** Connects. */
  connect(endpoint: Endpoint, bounds: Bounds): Promise<StreamConn>;
}

/** A transport of whole messages over connections. Its functions throw the operating system's error. */
export interface MessageTransport extends TransportBase {
  /** Which kind of conversation it carries. */
  readonly kind: "message";
  /** The most bytes that a message may have; a system may allow less. */
  readonly largestMessage: number;
  /** Listens for connections. */
  listen(endpoint: Endpoint): Listener<MessageConn> | Promise<Listener<MessageConn>>;
  /** Connects. */
  connect(endpoint: Endpoint, bounds: Bounds): Promise<MessageConn>;
}

/** A transport of datagrams. Its functions throw the operating system's error. */
export interface DatagramTransport extends TransportBase {
  /** Which kind of conversation it carries. */
  readonly kind: "datagram";
  /** The most bytes that a message may have; a system may allow less. */
  readonly largestMessage: number;
  /** Binds a socket to serve on. */
  listen(endpoint: Endpoint): DatagramSocket | Promise<DatagramSocket>;
  /** Opens a socket to talk to one server with. Nothing is sent, so a server that is not there may go unnoticed. */
  connect(endpoint: Endpoint, bounds: Bounds): Promise<MessageConn>;
}

/** A way in which conversations travel: a row of the table of transports. */
export type Transport = StreamTransport | MessageTransport | DatagramTransport;
