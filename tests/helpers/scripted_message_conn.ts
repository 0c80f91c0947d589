import type { Address, MessageConn } from "../../lib/transport/mod.ts";

/** What a {@linkcode ScriptedMessageConn} receives next: a message, the end, or an error. */
export type Received = Uint8Array | null | Error;

/** A conversation in messages whose other side is a test. */
export class ScriptedMessageConn implements MessageConn {
  readonly localAddr: Address = { transport: "udp", hostname: "127.0.0.1", port: 50_000 };
  readonly remoteAddr: Address = { transport: "udp", hostname: "127.0.0.1", port: 9 };
  /** What was sent so far, as text. */
  readonly sent: string[] = [];
  #received: Received[] = [];
  #come = Promise.withResolvers<void>();

  /** Lets something be received. */
  give(received: Received): void {
    this.#received.push(received);
    this.#come.resolve();
  }

  async receive(buffer: Uint8Array): Promise<Uint8Array | null> {
    while (this.#received.length === 0) {
      await this.#come.promise;
      this.#come = Promise.withResolvers<void>();
    }
    const next = this.#received.shift()!;
    if (next instanceof Error) throw next;
    if (next === null) return null;
    buffer.set(next);
    return buffer.subarray(0, next.length);
  }

  send(message: Uint8Array): Promise<void> {
    this.sent.push(new TextDecoder().decode(message));
    return Promise.resolve();
  }

  close(): void {
    this.give(new Error("closed"));
  }
}
