import type { ByteSource } from "../../client/talk/lines.ts";

/** A source that hands out its chunks one by one, each in as many reads as the reader's buffer needs. */
export class ChunkSource implements ByteSource {
  /** Whether more may come after the last chunk at hand. */
  open = false;
  #chunks: Uint8Array[];
  #wake: (() => void) | undefined;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks.filter((chunk) => chunk.length > 0);
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(): void {
    this.open = false;
    this.#wake?.();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0 && this.open) await new Promise<void>((resolve) => this.#wake = resolve);
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    const given = chunk.subarray(0, buffer.length);
    if (given.length < chunk.length) this.#chunks.unshift(chunk.subarray(given.length));
    buffer.set(given);
    return given.length;
  }
}
