import type { InetEndpoint } from "../../lib/endpoint.ts";

/** A TCP server that does with each connection what a test says. */
export class ScriptedServer implements AsyncDisposable {
  readonly endpoint: InetEndpoint;
  #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #sessions: Promise<void>[] = [];
  #accepting: Promise<void>;

  /** @param serve Is given each connection, which is closed once it returns. */
  constructor(serve: (conn: Deno.TcpConn) => Promise<void>) {
    this.endpoint = { transport: "tcp", host: "127.0.0.1", port: this.#listener.addr.port };
    this.#accepting = this.#accept(serve);
  }

  async #accept(serve: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) this.#sessions.push(serve(conn).finally(() => conn.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#sessions);
  }
}

/** Answers a datagram. */
export type Answer = (datagram: Uint8Array) => Promise<unknown>;

/** A UDP server that does with each datagram what a test says. */
export class ScriptedDatagramServer implements AsyncDisposable {
  readonly endpoint: InetEndpoint;
  /** How many datagrams it got. */
  count = 0;
  #socket: Deno.DatagramConn;
  #serving: Promise<void>;

  /** @param serve Is given each datagram, a way to answer it, and who sent it. */
  constructor(
    serve: (datagram: Uint8Array, answer: Answer, from: Deno.NetAddr) => Promise<unknown>,
    hostname = "127.0.0.1",
  ) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.endpoint = { transport: "udp", host: hostname, port: (this.#socket.addr as Deno.NetAddr).port };
    this.#serving = this.#serve(serve);
  }

  async #serve(serve: (datagram: Uint8Array, answer: Answer, from: Deno.NetAddr) => Promise<unknown>): Promise<void> {
    for await (const [datagram, from] of this.#socket) {
      this.count++;
      await serve(datagram, (bytes) => this.#socket.send(bytes, from), from as Deno.NetAddr);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
  }
}
