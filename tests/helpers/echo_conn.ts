import type { Address, StreamConn } from "../../lib/transport/mod.ts";

/** What an {@linkcode EchoConn} does otherwise than echo all. */
export interface EchoScript {
  /** How many bytes the next write takes, and the next read gives, at the most. */
  step?: () => number;
  /** Changes what comes back for a write; `offset` is how many bytes were written before. */
  answer?: (bytes: Uint8Array, offset: number) => Uint8Array;
  /** What comes back after the client's end of the stream, before the server's. */
  trailing?: Uint8Array;
  /** After how many written bytes it closes its side, taking no more. */
  closesAfter?: number;
  /** Whether it keeps its side open when the client has ended its own. */
  keepsOpen?: boolean;
}

/** A connection to an echo server in memory, in pieces as small as a test says. */
export class EchoConn implements StreamConn {
  readonly localAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 };
  readonly remoteAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 7 };
  /** Whether the client has ended its half. */
  halfClosed = false;
  #script: EchoScript;
  #written = 0;
  #inFlight: Uint8Array[] = [];
  #over = false;
  #come = Promise.withResolvers<void>();

  constructor(script: EchoScript = {}) {
    this.#script = script;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#inFlight.length === 0 && !this.#over) await this.#come.promise;
    const next = this.#inFlight.shift();
    if (next === undefined) return null;
    const given = next.subarray(0, Math.min(buffer.length, this.#script.step?.() ?? Infinity));
    if (given.length < next.length) this.#inFlight.unshift(next.subarray(given.length));
    buffer.set(given);
    return given.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await Promise.resolve();
    const { step, answer, closesAfter = Infinity } = this.#script;
    if (this.halfClosed) throw new Error("write after closeWrite");
    if (this.#over) throw Object.assign(new Error("gone"), { code: "EPIPE" });
    const taken = bytes.slice(0, Math.min(step?.() ?? Infinity, closesAfter - this.#written));
    const back = answer ? answer(taken, this.#written) : taken;
    this.#written += taken.length;
    if (back.length > 0) this.#inFlight.push(back);
    if (this.#written >= closesAfter) this.#over = true;
    this.#wake();
    return taken.length;
  }

  async closeWrite(): Promise<void> {
    await Promise.resolve();
    this.halfClosed = true;
    if (this.#script.trailing) this.#inFlight.push(this.#script.trailing);
    this.#over ||= !this.#script.keepsOpen;
    this.#wake();
  }

  close(): void {
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#come;
    this.#come = Promise.withResolvers<void>();
    resolve();
  }
}
