import type { Address, DatagramSocket } from "../../lib/transport/mod.ts";

/** Who sent a datagram of a script that does not say. */
export const CLIENT: Address = { transport: "udp", hostname: "127.0.0.1", port: 50_000 };

/** What a {@linkcode ScriptedSocket} does. */
export interface SocketScript {
  /** What each receive finds: a datagram, one with its sender, or an error. */
  receives: (Uint8Array | [Uint8Array, Address] | Error)[];
  /** What each send does: fails, or takes its time, whatever else happens. After the script each succeeds. */
  sends?: (Error | Promise<void> | undefined)[];
  /** Called by the receive after the last. */
  atEnd?: () => void;
}

/** A socket that follows a script and notes what was sent. After its script a receive waits until it is closed. */
export class ScriptedSocket implements DatagramSocket {
  readonly addr: Address = { transport: "udp", hostname: "127.0.0.1", port: 65_456 };
  readonly sent: [bytes: number[], to: Address][] = [];
  closed = false;
  #receives: SocketScript["receives"];
  #sends: NonNullable<SocketScript["sends"]>;
  #atEnd: () => void;
  #closed = Promise.withResolvers<never>();

  constructor({ receives, sends = [], atEnd = () => {} }: SocketScript) {
    this.#receives = [...receives];
    this.#sends = [...sends];
    this.#atEnd = atEnd;
    this.#closed.promise.catch(() => {});
  }

  async receive(buffer: Uint8Array): Promise<[Uint8Array, Address]> {
    await Promise.resolve();
    const step = this.#receives.shift();
    if (step === undefined) {
      this.#atEnd();
      return await this.#closed.promise;
    }
    if (step instanceof Error) throw step;
    const [bytes, from] = Array.isArray(step) ? step : [step, CLIENT];
    buffer.set(bytes);
    return [buffer.subarray(0, bytes.length), from];
  }

  async send(bytes: Uint8Array, to: Address): Promise<number> {
    const step = this.#sends.shift();
    if (step instanceof Error) throw step;
    // A socket takes the bytes when it gets to it: a buffer that is used again too early shows.
    await step;
    if (this.closed) throw new Deno.errors.BadResource("closed");
    this.sent.push([[...bytes], to]);
    return bytes.length;
  }

  close(): void {
    this.closed = true;
    this.#closed.reject(new Deno.errors.BadResource("closed"));
  }
}
