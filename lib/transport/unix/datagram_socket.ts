/**
 * Sockets of datagrams at a path: one as Deno has it, and one to serve on, which no peer can block.
 *
 * @module
 */

import { DatagramSender } from "../../native/datagram_sender.ts";
import { waitAtMost } from "../../wait_at_most.ts";
import type { Address, DatagramSocket, UnixAddress } from "../types.ts";
import { claimPath, SocketFile, socketPath, temporaryPath } from "./file.ts";
import { Outbox } from "./outbox.ts";

/**
 * Binds a socket of datagrams to a path at which there is no file.
 *
 * @param path The path of the socket file.
 * @returns The socket as Deno has it. Its `send` waits for ever for a peer that does not read, nothing ends that, and
 * meanwhile the socket receives nothing. Closing it leaves the file.
 */
export function bindDatagrams(path: string): DatagramSocket {
  // Deno's type allows more kinds of address; a Unix socket knows one.
  const socket = Deno.listenDatagram({ transport: "unixpacket", path }) as DatagramSocket;
  return {
    addr: socket.addr,
    receive: async (buffer) => {
      try {
        return await socket.receive(buffer);
      } catch (error) {
        // Deno has taken the datagram of a sender whose path is not UTF-8, and does not say how long it is.
        if (error instanceof Deno.errors.InvalidData) return [buffer.subarray(0, 0), NOBODY];
        throw error;
      }
    },
    send: (bytes, to) => socket.send(bytes, to),
    close: () => socket.close(),
  };
}

/** A bound socket, and what sends without waiting where that can be had. `close` closes both. */
export interface SendingSocket extends DatagramSocket {
  /** Sends without waiting. */
  readonly sender?: DatagramSender;
}

/**
 * Binds a socket of datagrams to a path at which there is no file, and finds out how to send without waiting.
 *
 * @param path The path of the socket file.
 * @returns The socket.
 */
export function bindToSend(path: string): SendingSocket {
  const { bound: socket, sender } = DatagramSender.bind(path, () => bindDatagrams(path));
  const close = () => {
    sender?.close();
    socket.close();
  };
  return { ...socket, sender, close };
}

const NOBODY: UnixAddress = { transport: "unixpacket", path: null };

/** How long Deno may wait in a send, in milliseconds. */
const LONGEST_SEND = 100;

/** A socket to serve on, which no peer can block. */
export class UnixDatagramSocket implements DatagramSocket {
  /** Where it is bound. */
  readonly addr: Address;
  #path: string;
  #socket: SendingSocket;
  #file: SocketFile;
  #outbox: Outbox | undefined;

  private constructor(path: string, socket: SendingSocket) {
    this.#path = path;
    this.#socket = socket;
    this.#file = new SocketFile(path);
    this.addr = socket.addr;
    if (socket.sender === undefined) return;
    this.#outbox = new Outbox({
      send: (bytes, to) => this.#socket.sender?.send(bytes, to) !== undefined,
      isClogged: () => this.#socket.sender?.isClogged() ?? false,
      unclog: () => this.#replace(),
    });
  }

  /**
   * Binds a socket to a path, replacing the file of a socket that nobody has open.
   *
   * @param path The path of the socket file, which {@linkcode close} removes.
   * @returns The socket.
   * @throws The operating system's error.
   */
  static async bind(path: string): Promise<UnixDatagramSocket> {
    const absolute = socketPath(path);
    return new UnixDatagramSocket(absolute, await claimPath(absolute, () => bindToSend(absolute)));
  }

  async receive(buffer: Uint8Array): Promise<[Uint8Array, Address]> {
    while (true) {
      const socket = this.#socket;
      try {
        return await socket.receive(buffer);
      } catch (error) {
        // One that was replaced meanwhile is not the end.
        if (socket === this.#socket) throw error;
      }
    }
  }

  async send(bytes: Uint8Array, to: Address): Promise<number> {
    if (!("path" in to) || !to.path) throw new TypeError("a peer without a path cannot be answered");
    if (this.#outbox) {
      if (this.#outbox.send(bytes, to.path)) return bytes.length;
    } else {
      const sent = await waitAtMost(LONGEST_SEND, this.#socket.send(bytes, to));
      if (sent !== undefined) return sent;
      this.#replace();
    }
    throw Object.assign(new Error("the peer does not read"), { code: "EAGAIN" });
  }

  close(): void {
    this.#outbox?.close();
    this.#file.remove();
    this.#socket.close();
  }

  /**
   * A fresh socket takes over the path: where Deno waits in a send of the old one, it can be used for nothing else; and what
   * peers do not read takes of what may wait of it in all, until it can send to nobody. What waits in it is lost, and peers
   * that are connected to it (connect(2)) are cut off. Where that fails, as for want of a descriptor, the old one stays.
   */
  #replace(): void {
    if (!this.#file.isThere()) return;
    const aside = temporaryPath(this.#path);
    const old = this.#socket;
    let fresh: SendingSocket | undefined;
    try {
      Deno.renameSync(this.#path, aside);
      fresh = bindToSend(this.#path);
      if (old.sender && !fresh.sender) throw new Error("nothing can be sent without waiting");
    } catch {
      fresh?.close();
      try {
        Deno.renameSync(aside, this.#path);
      } catch {
        // It was not moved.
      }
      return;
    }
    Deno.removeSync(aside);
    this.#file = new SocketFile(this.#path);
    this.#socket = fresh;
    old.close();
  }
}
