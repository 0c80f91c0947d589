/**
 * What carries probes to a server and answers back: a stream, or messages.
 *
 * @module
 */

import type { Endpoint } from "../../../lib/endpoint.ts";
import { describeCause, EchoError, errorCode, type MeariError } from "../../../lib/errors.ts";
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
} from "../../../lib/transport/mod.ts";
import type { ProbeFormat } from "../probe.ts";
import { AnswerCutter } from "./answer_cutter.ts";
import { END, isNobodyThere, LARGEST_BACKLOG, LARGEST_SURPLUS, WAITING_OVERHEAD } from "./ends.ts";

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
    () => ended.resolve(new EchoError(END.closed)),
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
      if (backlog > LARGEST_BACKLOG) ended.resolve(new EchoError(END.backlog));
      try {
        await sending;
      } catch (error) {
        if (!isNobodyThere(errorCode(error))) throw error;
        ended.resolve(new EndpointError("send to", endpoint, error));
      } finally {
        backlog -= probe.length + WAITING_OVERHEAD;
      }
    },
    close: () => conn.close(),
  };
}

function streamChannel(conn: StreamConn, { format, onAnswer }: ChannelOptions): ProbeChannel {
  const ended = Promise.withResolvers<MeariError>();
  let closed = false;
  let sentBytes = 0, backlog = 0;
  let lastWrite: Promise<void> = Promise.resolve();
  const receive = async () => {
    const answers = new AnswerCutter(format, onAnswer);
    for (let length; (length = await conn.read(answers.room)) !== null;) {
      answers.take(length);
      if (answers.received > sentBytes + LARGEST_SURPLUS) return END.surplus;
    }
    return END.closed;
  };
  receive().catch(describeCause).then((why) => ended.resolve(new EchoError(why)));
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
      if (backlog > LARGEST_BACKLOG) return ended.resolve(new EchoError(END.backlog));
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
