/**
 * The way of probes to a server and of their answers back, on a stream or as datagrams.
 *
 * @module
 */

import type { Endpoint } from "../../lib/endpoint.ts";
import { describeCause, errorCode, MeariError } from "../../lib/errors.ts";
import {
  connectMessages,
  connectStream,
  EndpointError,
  formatAddress,
  isStream,
  type MessageConn,
  type StreamConn,
} from "../../lib/transport/mod.ts";
import type { ProbeFormat } from "./probe.ts";

/** Holds any datagram. */
const RECEIVE_BUFFER = 64 * 1024;

/** How many bytes may wait for a server that does not read. */
const LARGEST_BACKLOG = 64 * 1024 * 1024;

/** How many bytes more than it received a server may send before it is given up. */
const LARGEST_SURPLUS = 64 * 1024;

/** The way to a server and back. */
export interface ProbeChannel {
  /** The server's address, for people. */
  readonly peer: string;
  /** Resolves with the reason once no answer can come any more. */
  readonly ended: Promise<string>;
  /**
   * Sends a probe.
   *
   * @param probe The probe; it must not change afterwards.
   * @throws {MeariError} If it cannot be sent.
   */
  send(probe: Uint8Array): Promise<void>;
  /** Frees the socket. */
  close(): void;
}

/** How a channel is opened. */
export interface ChannelOptions {
  /** The session's probes. */
  format: ProbeFormat;
  /** Bounds connecting, in milliseconds. */
  timeout: number;
  /** Told of each answer at once; its bytes are valid only during the call. */
  onAnswer: (answer: Uint8Array) => void;
}

/**
 * Opens the way to a server.
 *
 * @param endpoint The server.
 * @param options How.
 * @returns The channel. Close it in the end.
 * @throws {MeariError} If the server cannot be reached.
 */
export async function openChannel(endpoint: Endpoint, options: ChannelOptions): Promise<ProbeChannel> {
  return isStream(endpoint)
    ? streamChannel(await connectStream(endpoint, options), endpoint, options)
    : messageChannel(await connectMessages(endpoint, options), endpoint, options);
}

function messageChannel(conn: MessageConn, endpoint: Endpoint, options: ChannelOptions): ProbeChannel {
  let closed = false;
  const receive = async () => {
    const buffer = new Uint8Array(RECEIVE_BUFFER);
    while (true) {
      try {
        const answer = await conn.receive(buffer);
        if (answer === null) return "the server closed the connection";
        options.onAnswer(answer);
      } catch (error) {
        if (closed) return "closed";
        // Some systems report here that nobody listens at the port; the probe counts as lost.
        if (errorCode(error) !== "ECONNREFUSED" && errorCode(error) !== "ECONNRESET") return describeCause(error);
      }
    }
  };
  return {
    peer: formatAddress(conn.remoteAddr),
    ended: receive(),
    async send(probe) {
      try {
        await conn.send(probe);
      } catch (error) {
        if (!closed) throw new EndpointError("send to", endpoint, error);
      }
    },
    close() {
      closed = true;
      conn.close();
    },
  };
}

function streamChannel(conn: StreamConn, endpoint: Endpoint, options: ChannelOptions): ProbeChannel {
  const { size } = options.format;
  let closed = false;
  let sentBytes = 0, receivedBytes = 0, backlog = 0;
  let lastWrite: Promise<void> = Promise.resolve();
  const receive = async () => {
    const buffer = new Uint8Array(Math.max(RECEIVE_BUFFER, 2 * size));
    let held = 0;
    try {
      while (true) {
        const length = await conn.read(buffer.subarray(held));
        if (length === null) return "the server closed the connection";
        receivedBytes += length;
        held = takeAnswers(buffer.subarray(0, held + length));
        if (receivedBytes > sentBytes + LARGEST_SURPLUS) return "the server sends more than it receives";
      }
    } catch (error) {
      return closed ? "closed" : describeCause(error);
    }
  };
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
    backlog -= probe.length;
  };
  return {
    peer: "hostname" in conn.remoteAddr ? formatAddress(conn.remoteAddr) : (endpoint as { path: string }).path,
    ended: receive(),
    async send(probe) {
      sentBytes += probe.length;
      backlog += probe.length;
      if (backlog > LARGEST_BACKLOG) throw new MeariError("the server takes nothing more: it does not read");
      // Two writes at once could mix their bytes.
      lastWrite = backlog === probe.length ? write(probe) : lastWrite.then(() => write(probe));
      await lastWrite;
    },
    close() {
      closed = true;
      conn.close();
    },
  };
}
