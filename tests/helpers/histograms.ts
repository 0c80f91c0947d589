import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";

/** A histogram whose words, which are its counts, are given as bytes; the rest is what a sound one has. */
export function histogramOf(
  words: readonly number[],
  { length = words.length, lowest = 1, highest = 2 ** 40, digits = 3 } = {},
): Buffer {
  const head = Buffer.alloc(40);
  [0x1c849313, length, 0, digits].forEach((word, index) => head.writeInt32BE(word, 4 * index));
  head.writeBigInt64BE(BigInt(lowest), 16);
  head.writeBigInt64BE(BigInt(highest), 24);
  head.writeDoubleBE(1, 32);
  return Buffer.concat([head, Buffer.from(words)]);
}

/** A histogram compressed and in Base64, as a log has it. */
export function encoded(histogram: Uint8Array): string {
  const head = Buffer.alloc(8);
  const compressed = deflateSync(histogram);
  head.writeInt32BE(0x1c849314, 0);
  head.writeInt32BE(compressed.length, 4);
  return Buffer.concat([head, compressed]).toString("base64");
}
