/**
 * Where the suite tries each transport. A new transport needs an entry here, and nothing else of the suite.
 *
 * @module
 */

import { assert } from "@std/assert";
import { type Endpoint, parseEndpoint } from "../../lib/endpoint.ts";
import {
  closeListening,
  connectMessages,
  connectStream,
  listen,
  type Listening,
  type MessageConn,
  type StreamConn,
  type Transport,
  transports,
} from "../../lib/transport/mod.ts";
import { bounded, type BoundedTest } from "../helpers/bounded.ts";
import { ROOT } from "../helpers/meari.ts";
import { DENO, needs, PYTHON } from "../helpers/programs.ts";
import { Running } from "../helpers/running.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import "./stand_in.ts";

/** How the suite tries a transport. */
interface Fixture {
  /** Endpoints to listen on, by what the tests call them, and the most bytes of a message where the system has a limit. */
  places: Record<string, [endpoint: (folder: TempFolder) => Endpoint, largest?: number]>;
  /** Whether it cannot be tried here. */
  ignore?: boolean;
}

const ip = (text: string) => () => parseEndpoint(text);
const file = (transport: string) => (folder: TempFolder): Endpoint => ({ transport, path: folder.file("a.sock") });
const noUnixSockets = Deno.build.os === "windows";

/** A packet's 65,535 bytes without UDP's header, and over IPv4 without its own; net.inet.udp.maxdgram of macOS. */
const [largestOverIpv4, largestOverIpv6] = Deno.build.os === "darwin" ? [9216, 9216] : [65_507, 65_527];

const FIXTURES: Record<string, Fixture> = {
  tcp: { places: { "tcp over IPv4": [ip("tcp://127.0.0.1:0")], "tcp over IPv6": [ip("tcp://[::1]:0")] } },
  udp: {
    places: {
      "udp over IPv4": [ip("udp://127.0.0.1:0"), largestOverIpv4],
      "udp over IPv6": [ip("udp://[::1]:0"), largestOverIpv6],
    },
  },
  framed: { places: { framed: [ip("framed://127.0.0.1:0")] } },
  unix: { places: { unix: [file("unix")] }, ignore: noUnixSockets },
  unixgram: { places: { unixgram: [file("unixgram"), largestUnixDatagram()] }, ignore: noUnixSockets },
};

/** `unix_dgram_sendmsg()` of Linux leaves 32 bytes of the send buffer; net.local.dgram.maxdgram of macOS. */
function largestUnixDatagram(): number {
  if (Deno.build.os !== "linux") return 2048;
  return Number(Deno.readTextFileSync("/proc/sys/net/core/wmem_default")) - 32;
}

/** Where a transport is tried. */
export interface Place {
  /** What the tests call it. */
  label: string;
  /** The transport's name. */
  transport: string;
  /** The transport's row in the table. */
  row: Transport;
  /** Makes an endpoint to listen on. */
  endpoint(folder: TempFolder): Endpoint;
  /** The most bytes that a message may have. */
  largest: number;
  /** Registers a test at this place. */
  test(name: string, run: (folder: TempFolder) => Promise<void>, about?: BoundedTest): void;
}

/** Every place of every transport in the table. */
export const places: readonly Place[] = [...transports].flatMap(([transport, row]) => {
  const fixture = FIXTURES[transport];
  if (fixture === undefined) throw new Error(`add the transport "${transport}" to tests/compliance/fixtures.ts`);
  const { ignore } = fixture;
  const most = row.kind === "stream" ? Infinity : row.largestMessage;
  return Object.entries(fixture.places).map(([label, [endpoint, largest = most]]) => ({
    label,
    transport,
    row,
    endpoint,
    largest,
    test: (name: string, run: (folder: TempFolder) => Promise<void>, about: BoundedTest = {}) => {
      const inFolder = async () => {
        using folder = new TempFolder();
        await run(folder);
      };
      bounded(`${label}: ${name}`, inFolder, { ...about, ignore: ignore || about.ignore });
    },
  }));
});

/** Every place of the transports of a kind. */
export function placesOf(kind: Transport["kind"]): Place[] {
  return places.filter(({ row }) => row.kind === kind);
}

/** How long connecting may take in a test. */
export const bounds = { timeout: 5000 };

/** A connection with both of its sides, and what listens. All that is still open is closed in the end. */
class ConnPair<K extends Listening["kind"], C extends { close(): void }> implements Disposable {
  constructor(readonly listening: Listening & { kind: K }, readonly client: C, readonly server: C) {}

  /** Both ways through it: from whom, to whom. */
  get ways(): [from: C, to: C][] {
    return [[this.client, this.server], [this.server, this.client]];
  }

  [Symbol.dispose](): void {
    for (const each of [this.client, this.server, { close: () => closeListening(this.listening) }]) closeOpen(each);
  }
}

/** A connected stream. */
export class StreamPair extends ConnPair<"stream", StreamConn> {
  static async at(endpoint: Endpoint): Promise<StreamPair> {
    const listening = await listen(endpoint);
    assert(listening.kind === "stream");
    const accepting = listening.listener.accept();
    const client = await connectStream(listening.endpoint, bounds);
    return new StreamPair(listening, client, await accepting);
  }
}

/** A connection that carries messages. */
export class MessagePair extends ConnPair<"message", MessageConn> {
  static async at(endpoint: Endpoint): Promise<MessagePair> {
    const listening = await listen(endpoint);
    assert(listening.kind === "message");
    const accepting = listening.listener.accept();
    const client = await connectMessages(listening.endpoint, bounds);
    return new MessagePair(listening, client, await accepting);
  }
}

/** A client of datagrams and the socket that it talks to. All that is still open is closed in the end. */
export class DatagramPair implements Disposable {
  private constructor(readonly listening: Listening & { kind: "datagram" }, readonly client: MessageConn) {}

  static async at(endpoint: Endpoint): Promise<DatagramPair> {
    const listening = await listen(endpoint);
    assert(listening.kind === "datagram");
    return new DatagramPair(listening, await connectMessages(listening.endpoint, bounds));
  }

  get socket() {
    return this.listening.socket;
  }

  [Symbol.dispose](): void {
    for (const each of [this.client, this.socket]) closeOpen(each);
  }
}

function closeOpen(socket: { close(): void }): void {
  try {
    socket.close();
  } catch {
    // The test has closed it.
  }
}

/** Listens and stops at once: nobody listens at what is returned, and so nobody else does for now. */
export async function deserted(endpoint: Endpoint): Promise<Endpoint> {
  const listening = await listen(endpoint);
  closeListening(listening);
  return listening.endpoint;
}

/** Starts a client of messages that connects, says so, and does nothing more, in a process of its own that may be killed. */
export function idleClient(endpoint: Endpoint): Running {
  const code = `
import { connectMessages } from ${JSON.stringify(import.meta.resolve("../../lib/transport/mod.ts"))};
import ${JSON.stringify(import.meta.resolve("./stand_in.ts"))};
await connectMessages(${JSON.stringify(endpoint)}, ${JSON.stringify(bounds)});
console.log("connected");
setInterval(() => {}, 60_000);
`;
  return new Running([DENO, "eval", "--no-lock", code], { cwd: ROOT });
}

/**
 * Starts a peer in Python, which can do what Deno cannot. It finds a `family` and the `address` of the endpoint, and may use
 * `die()` to reset a connection. The test ends it by its stdin or by disposing it.
 */
export function pythonPeer(endpoint: Endpoint, code: string): Running {
  const [family, address] = "path" in endpoint
    ? ["AF_UNIX", JSON.stringify(endpoint.path)]
    : [endpoint.host.includes(":") ? "AF_INET6" : "AF_INET", `("${endpoint.host}", ${endpoint.port})`];
  const prelude = `
import os, socket, struct, sys, time
family, address = socket.${family}, ${address}
def die(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
`;
  return new Running([needs(PYTHON), "-c", prelude + code]);
}
