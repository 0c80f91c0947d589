/**
 * Opens what an endpoint names, whatever its transport, and says in one line why it could not.
 *
 * @module
 */

import { formatEndpoint } from "../endpoint.ts";
import { describeCause, errorCode, MeariError } from "../errors.ts";
import { formatDuration } from "../units.ts";
import { type NativeSockets, openNativeSockets } from "./native.ts";
import { type NativeClient, openNativeClient } from "./native_client.ts";
import { isDatagram, transportOf } from "./table.ts";
import type { Address, Bounds, DatagramSocket, Endpoint, Listener, MessageConn, StreamConn } from "./types.ts";

/** What was tried at an endpoint. */
export type EndpointOperation = "listen on" | "connect to" | "send to";

/** An operation at an endpoint failed; `cause` holds the operating system's error. */
export class EndpointError extends MeariError {
  /**
   * Says in one line what was tried, where, and why it failed.
   *
   * @param operation What was tried.
   * @param endpoint Where.
   * @param cause Why it failed.
   * @param timeout How long it was waited for, in milliseconds, where that was bounded.
   */
  constructor(
    readonly operation: EndpointOperation,
    readonly endpoint: Endpoint,
    override readonly cause: unknown,
    timeout?: number,
  ) {
    const timedOut = cause instanceof Error && cause.name === "TimeoutError" && timeout !== undefined;
    const why = timedOut ? `no answer within ${formatDuration(timeout)}` : describeCause(cause);
    super(`cannot ${operation} ${formatEndpoint({ ...endpoint, options: {} })}: ${why}`, { cause });
  }
}

/** What listens at an endpoint: a listener for conversations, or a socket of datagrams. */
export type Listening =
  & {
    /** The endpoint, with the port that the kernel chose. */
    endpoint: Endpoint;
  }
  & (
    | { kind: "stream"; listener: Listener<StreamConn> }
    | { kind: "message"; listener: Listener<MessageConn> }
    | { kind: "datagram"; socket: DatagramSocket }
  );

/** What listens natively at an endpoint. */
export interface NativeListening {
  /** Which it is. */
  kind: "native";
  /** The endpoint, with the port that the kernel chose. */
  endpoint: Endpoint;
  /** Its sockets. */
  sockets: NativeSockets;
}

/**
 * Listens at an endpoint.
 *
 * @param endpoint Where.
 * @returns What listens there.
 * @throws {EndpointError} If it cannot listen there.
 */
export async function listen(endpoint: Endpoint): Promise<Listening> {
  const transport = transportOf(endpoint);
  return await explained("listen on", endpoint, async () => {
    if (transport.kind === "datagram") {
      const socket = await transport.listen(endpoint);
      return { kind: "datagram", endpoint: boundEndpoint(endpoint, socket.addr), socket };
    }
    const listener = await transport.listen(endpoint);
    return { kind: transport.kind, endpoint: boundEndpoint(endpoint, listener.addr), listener } as Listening;
  });
}

/**
 * Listens at an endpoint with sockets that are used by their descriptors.
 *
 * @param endpoint An endpoint that {@linkcode isNative} says yes to.
 * @param count How many sockets share what comes.
 * @param signal Ends the wait for the lookup of the endpoint's name.
 * @returns What listens there.
 * @throws {EndpointError} If it cannot listen there.
 */
export async function listenNatively(
  endpoint: Endpoint,
  count: number,
  signal?: AbortSignal,
): Promise<NativeListening> {
  return await explained("listen on", endpoint, async () => {
    const sockets = await openNativeSockets(endpoint, count, signal);
    return { kind: "native", endpoint: boundEndpoint(endpoint, sockets.addr), sockets };
  });
}

/**
 * Closes what listens at an endpoint.
 *
 * @param listening What {@linkcode listen} has returned.
 */
export function closeListening(listening: Listening | NativeListening): void {
  if (listening.kind === "datagram") listening.socket.close();
  else if (listening.kind === "native") listening.sockets.close();
  else listening.listener.close();
}

/** How often {@linkcode listenTogether} tries to find a port that is free for all. */
const MOST_PORTS = 20;

/**
 * Listens at several endpoints. Those that ask for port 0 get one port in common: a server whose TCP and UDP have different
 * ones is two servers to its clients.
 *
 * @param endpoints Where, in this order.
 * @param open Listens at one of them. Default: {@linkcode listen}.
 * @returns What listens at each of them.
 * @throws {EndpointError} If it cannot listen at one of them; then it listens at none.
 */
export async function listenTogether<L extends Listening | NativeListening = Listening>(
  endpoints: readonly Endpoint[],
  open: (endpoint: Endpoint) => Promise<Listening | L> = listen,
): Promise<(Listening | L)[]> {
  for (let left = MOST_PORTS - 1;; left--) {
    const opened: (Listening | L)[] = [];
    let port = 0;
    try {
      for (const endpoint of endpoints) {
        const asksForAny = "port" in endpoint && endpoint.port === 0;
        const listening = await open(asksForAny ? { ...endpoint, port } : endpoint);
        opened.push(listening);
        if (asksForAny && "port" in listening.endpoint) port = listening.endpoint.port;
      }
      return opened;
    } catch (error) {
      opened.forEach(closeListening);
      // The port that the kernel has chosen for one of them may be another program's for the next.
      const isTaken = error instanceof EndpointError && errorCode(error.cause) === "EADDRINUSE" &&
        "port" in error.endpoint && error.endpoint.port === port && port !== 0;
      if (!isTaken || left === 0) throw error;
    }
  }
}

/**
 * Connects a byte stream.
 *
 * @param endpoint An endpoint of a transport of streams.
 * @param bounds How long it may take.
 * @returns The connection.
 * @throws {EndpointError} If it cannot connect.
 * @throws The reason of the signal where that ends it.
 */
export async function connectStream(endpoint: Endpoint, bounds: Bounds): Promise<StreamConn> {
  const transport = transportOf(endpoint);
  if (transport.kind !== "stream") throw new MeariError(`${formatEndpoint(endpoint)} does not carry a stream`);
  return await explained("connect to", endpoint, () => transport.connect(endpoint, bounds), bounds);
}

/**
 * Opens a conversation in whole messages. Over datagrams nothing is sent, so a server that is not there may go unnoticed.
 *
 * @param endpoint An endpoint of a transport of messages or datagrams.
 * @param bounds How long it may take.
 * @returns The conversation.
 * @throws {EndpointError} If it cannot be opened.
 * @throws The reason of the signal where that ends it.
 */
export async function connectMessages(endpoint: Endpoint, bounds: Bounds): Promise<MessageConn> {
  const transport = transportOf(endpoint);
  if (transport.kind === "stream") throw new MeariError(`${formatEndpoint(endpoint)} does not carry messages`);
  return await explained(
    transport.kind === "datagram" ? "send to" : "connect to",
    endpoint,
    () => transport.connect(endpoint, bounds),
    bounds,
  );
}

/**
 * Opens a socket that talks to a server and is used by its descriptor. Over datagrams nothing is sent, so a server that is
 * not there goes unnoticed.
 *
 * @param endpoint A server that {@linkcode canConnectNatively} says yes to.
 * @param bounds How long it may take.
 * @returns The socket. Close it in the end.
 * @throws {EndpointError} If it cannot be opened.
 * @throws The reason of the signal where that ends it.
 */
export async function connectNatively(endpoint: Endpoint, bounds: Bounds): Promise<NativeClient> {
  const operation = isDatagram(endpoint) ? "send to" : "connect to";
  return await explained(operation, endpoint, () => openNativeClient(endpoint, bounds), bounds);
}

/**
 * The endpoint that a bound socket really has: with the port that the kernel chose.
 *
 * @param endpoint What was asked for.
 * @param address Where the socket is bound.
 * @returns The endpoint with the real port.
 */
function boundEndpoint(endpoint: Endpoint, address: Address): Endpoint {
  return "host" in endpoint && "port" in address ? { ...endpoint, port: address.port } : endpoint;
}

/**
 * Tries something at an endpoint, and says in one line why it failed.
 *
 * @param operation What is tried.
 * @param endpoint Where.
 * @param open Tries it.
 * @param bounds How long it may take.
 * @returns What came of it.
 * @throws {EndpointError} If it fails.
 * @throws The reason of the signal where that ends it.
 */
export async function explained<T>(
  operation: EndpointOperation,
  endpoint: Endpoint,
  open: () => Promise<T>,
  bounds?: Bounds,
): Promise<T> {
  bounds?.signal?.throwIfAborted();
  try {
    return await open();
  } catch (error) {
    bounds?.signal?.throwIfAborted();
    throw error instanceof MeariError ? error : new EndpointError(operation, endpoint, error, bounds?.timeout);
  }
}
