/**
 * What carries probes to a server and answers back: a stream, or messages.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { describeCause, EchoError, errorCode, type MeariError } from "../../lib/errors.ts";
import {
  type Bounds,
  connectMessages,
  connectStream,
  EndpointError,
  formatAddress,
  isDatagram,
  isStream,
  LARGEST_MESSAGE,
  type MessageConn,
  type StreamConn,
} from "../../lib/transport/mod.ts";
import { formatSize } from "../../lib/units.ts";
import type { ProbeFormat } from "./probe.ts";

/** How many bytes of a stream are read at once, at least. */
const READ_BUFFER = 64 * 1024;

/** How many bytes may wait for a server, or a path to it, that takes less than is sent. */
const LARGEST_BACKLOG = 64 * 1024 * 1024;

/** What a probe that waits takes besides its own bytes, about. */
const WAITING_OVERHEAD = 512;

/** How many bytes more than it received a server may send before it is given up. */
const LARGEST_SURPLUS = 64 * 1024;

/** How sending fails where nobody is at an endpoint, and not just where one message does not get through. */
const NOBODY_THERE = [
  "EACCES",
  "ECONNREFUSED",
  "EINVAL",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENOTSOCK",
  "EPROTOTYPE",
];

/** A conversation with a server in probes and answers. */
export interface ProbeChannel {
  /** The server's address, for people. */
  readonly peer: string;
  /** Resolves with the reason once no answer can come any more. */
  readonly ended: Promise<MeariError>;
  /**
   * Sends a probe.
   *
   * @param probe The probe; it must not change afterwards.
   * @throws The operating system's error where this probe cannot be sent, and others might.
   */
  send(probe: Uint8Array): Promise<void>;
  /** Frees the socket. */
  close(): void;
}

/** How a channel is opened. */
export interface ChannelOptions extends Bounds {
  /** The session's probes. */
  format: ProbeFormat;
  /** Told of each answer at once; its bytes are valid only during the call. It must not throw. */
  onAnswer: (answer: Uint8Array) => void;
}

/**
 * Opens a conversation with a server.
 *
 * @param endpoint The server.
 * @param options How.
 * @returns The channel. Close it in the end.
 * @throws {MeariError} If the server cannot be reached.
 * @throws The reason of the signal where that ends it.
 */
export async function openChannel(endpoint: Endpoint, options: ChannelOptions): Promise<ProbeChannel> {
  return isStream(endpoint)
    ? streamChannel(await connectStream(endpoint, options), options)
    : messageChannel(await connectMessages(endpoint, options), endpoint, options);
}

/**
 * Carries probes as messages. It ends at once where nobody is there and that is told: by sending over Unix sockets, and
 * over UDP by receiving, on systems that report the ICMP message to a socket that is not connected (Windows).
 *
 * @param conn The conversation, which the channel owns.
 * @param endpoint The server.
 * @param options Whom to tell of answers.
 * @returns The channel.
 */
export function messageChannel(
  conn: MessageConn,
  endpoint: Endpoint,
  { onAnswer }: Pick<ChannelOptions, "onAnswer">,
): ProbeChannel {
  const ended = Promise.withResolvers<MeariError>();
  let backlog = 0;
  const receive = async () => {
    // A byte more than any message has, so that an answer that is too long shows.
    const buffer = new Uint8Array(LARGEST_MESSAGE + 1);
    for (let answer; (answer = await conn.receive(buffer)) !== null;) onAnswer(answer);
  };
  receive().then(
    () => ended.resolve(new EchoError("the server closed the connection")),
    (error) =>
      ended.resolve(
        isDatagram(endpoint) ? new EndpointError("send to", endpoint, error) : new EchoError(describeCause(error)),
      ),
  );
  return {
    peer: formatAddress(conn.remoteAddr),
    ended: ended.promise,
    async send(probe) {
      const sending = conn.send(probe);
      backlog += probe.length + WAITING_OVERHEAD;
      if (backlog > LARGEST_BACKLOG) ended.resolve(takesTooLittle());
      try {
        await sending;
      } catch (error) {
        if (!NOBODY_THERE.includes(errorCode(error) ?? "")) throw error;
        ended.resolve(new EndpointError("send to", endpoint, error));
      } finally {
        backlog -= probe.length + WAITING_OVERHEAD;
      }
    },
    close: () => conn.close(),
  };
}

function takesTooLittle(): MeariError {
  return new EchoError(`the server takes less than is sent: ${formatSize(LARGEST_BACKLOG)} wait`);
}

function streamChannel(conn: StreamConn, options: ChannelOptions): ProbeChannel {
  const { size } = options.format;
  const ended = Promise.withResolvers<MeariError>();
  let closed = false;
  let sentBytes = 0, receivedBytes = 0, backlog = 0;
  let lastWrite: Promise<void> = Promise.resolve();
  const receive = async () => {
    const buffer = new Uint8Array(Math.max(READ_BUFFER, 2 * size));
    for (let held = 0, length; (length = await conn.read(buffer.subarray(held))) !== null;) {
      receivedBytes += length;
      held = takeAnswers(buffer.subarray(0, held + length));
      if (receivedBytes > sentBytes + LARGEST_SURPLUS) return "the server sends more than it receives";
    }
    return "the server closed the connection";
  };
  receive().catch(describeCause).then((why) => ended.resolve(new EchoError(why)));
  /** Cuts what has come into answers, and returns how many bytes, moved to the front, belong to one not yet whole. */
  function takeAnswers(bytes: Uint8Array): number {
    let at = 0;
    while (bytes.length - at >= size) {
      const answer = bytes.subarray(at, at + size);
      // Where bytes were lost on the way, the next probe begins within what should be this one.
      const length = options.format.isOurs(answer) ? size : options.format.findNext(answer);
      options.onAnswer(answer.subarray(0, length));
      at += length;
    }
    bytes.copyWithin(0, at);
    return bytes.length - at;
  }
  const write = async (probe: Uint8Array) => {
    try {
      for (let done = 0; done < probe.length && !closed;) done += await conn.write(probe.subarray(done));
    } catch {
      // Reading meets the same end, and says why.
    }
    backlog -= probe.length + WAITING_OVERHEAD;
  };
  return {
    peer: formatAddress(conn.remoteAddr),
    ended: ended.promise,
    async send(probe) {
      const idle = backlog === 0;
      sentBytes += probe.length;
      backlog += probe.length + WAITING_OVERHEAD;
      if (backlog > LARGEST_BACKLOG) return ended.resolve(takesTooLittle());
      // Two writes at once could mix their bytes.
      lastWrite = idle ? write(probe) : lastWrite.then(() => write(probe));
      await lastWrite;
    },
    close() {
      closed = true;
      conn.close();
    },
  };
}
