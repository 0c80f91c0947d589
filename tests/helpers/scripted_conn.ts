import type { Address, StreamConn } from "../../lib/transport/mod.ts";

/** What a {@linkcode ScriptedConn} does. After its script it takes every write, and a read waits until it is closed. */
export interface ConnScript {
  /** What each read finds: bytes, the end of the client's half (`null`), or an error. */
  reads?: (Uint8Array | null | Error)[];
  /** What each write does: takes so many bytes at the most, or fails. */
  writes?: (number | Error)[];
  /** What `closeWrite` fails with. */
  closeWrite?: Error;
}

/**
 * A connection that follows a script and notes what is done to it. As a socket does, it hands out what fits the buffer
 * and keeps the rest; it takes the bytes of a write only when that is over, so a buffer that is used again too early
 * shows. It fails a test that reads ahead of its writes, does two things at once, or goes on after the end.
 */
export class ScriptedConn implements StreamConn {
  readonly localAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 7 };
  readonly remoteAddr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 };
  /** What was done, in order: `read 1024`, `write 5`, `closeWrite`, `close`. */
  readonly calls: string[] = [];
  /** All bytes that were written. */
  readonly sent: number[] = [];
  #received = 0;
  #reads: (Uint8Array | null | Error)[];
  #writes: (number | Error)[];
  #closeWriteError: Error | undefined;
  #busy = false;
  #halfClosed = false;
  #closed = Promise.withResolvers<void>();

  constructor(script: ConnScript = {}) {
    this.#reads = [...script.reads ?? []];
    this.#writes = [...script.writes ?? []];
    this.#closeWriteError = script.closeWrite;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.#begin(`read ${buffer.length}`);
    if (!this.#halfClosed && this.#received !== this.sent.length) throw new Error("read ahead of the writes");
    const step = this.#reads.shift();
    if (step === undefined) {
      await this.#closed.promise;
      throw new Deno.errors.BadResource("closed while reading");
    }
    await this.#end();
    if (step instanceof Error) throw step;
    if (step === null) return null;
    const given = step.subarray(0, buffer.length);
    if (given.length < step.length) this.#reads.unshift(step.subarray(given.length));
    buffer.set(given);
    this.#received += given.length;
    return given.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#begin(`write ${bytes.length}`);
    if (this.#halfClosed) throw new Error("write after closeWrite");
    const step = this.#writes.shift() ?? bytes.length;
    await this.#end();
    if (step instanceof Error) throw step;
    const taken = bytes.subarray(0, step);
    for (const byte of taken) this.sent.push(byte);
    return taken.length;
  }

  async closeWrite(): Promise<void> {
    this.#begin("closeWrite");
    await this.#end();
    if (this.#closeWriteError) throw this.#closeWriteError;
    this.#halfClosed = true;
  }

  close(): void {
    this.calls.push("close");
    this.#closed.resolve();
  }

  #begin(call: string): void {
    if (this.#busy) throw new Error(`${call} while another call is under way`);
    this.#busy = true;
    this.calls.push(call);
  }

  async #end(): Promise<void> {
    await Promise.resolve();
    this.#busy = false;
  }
}
