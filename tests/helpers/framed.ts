import {
  type Address,
  type Bounds,
  type Endpoint,
  LARGEST_MESSAGE,
  type Listener,
  type MessageConn,
  type MessageTransport,
  type StreamConn,
} from "../../lib/transport/mod.ts";
import { tcp } from "../../lib/transport/tcp.ts";
import { systemError } from "./errors.ts";
import { readBytes, writeAll } from "./streams.ts";

/**
 * Whole messages over TCP, each behind its length in four bytes: a transport of the kind "message", to be added to the
 * table by `ownTransport()`.
 */
export const framed: MessageTransport = {
  kind: "message",
  form: "inet",
  help: "messages over TCP",
  largestMessage: LARGEST_MESSAGE,
  listen: async (endpoint: Endpoint): Promise<Listener<MessageConn>> => {
    const listener = await tcp.listen(endpoint);
    return {
      addr: listener.addr,
      accept: async () => new FramedConn(await listener.accept()),
      close: () => listener.close(),
    };
  },
  connect: async (endpoint: Endpoint, bounds: Bounds) => new FramedConn(await tcp.connect(endpoint, bounds)),
};

class FramedConn implements MessageConn {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #conn: StreamConn;
  #last: Promise<void> = Promise.resolve();

  constructor(conn: StreamConn) {
    this.#conn = conn;
    this.localAddr = conn.localAddr;
    this.remoteAddr = conn.remoteAddr;
  }

  async receive(buffer: Uint8Array): Promise<Uint8Array | null> {
    const head = await readBytes(this.#conn, 4);
    if (head.length === 0) return null;
    if (head.length < 4) throw systemError("ECONNRESET");
    const length = new DataView(head.buffer).getUint32(0);
    if (length > LARGEST_MESSAGE) throw systemError("EMSGSIZE");
    const message = await readBytes(this.#conn, length);
    if (message.length < length) throw systemError("ECONNRESET");
    buffer.set(message.subarray(0, buffer.length));
    return buffer.subarray(0, length);
  }

  async send(message: Uint8Array): Promise<void> {
    if (message.length > LARGEST_MESSAGE) throw systemError("EMSGSIZE");
    const frame = new Uint8Array(4 + message.length);
    new DataView(frame.buffer).setUint32(0, message.length);
    frame.set(message, 4);
    const sending = this.#last.then(() => writeAll(this.#conn, frame));
    this.#last = sending.catch(() => {});
    await sending;
  }

  close(): void {
    this.#conn.close();
  }
}
