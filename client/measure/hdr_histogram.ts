/**
 * The histograms of an HdrHistogram log: the compressed V2 encoding, and sums of many of them. Each is kept as its counts
 * and no more, so that a log of many intervals costs what it holds and not what its histograms could hold.
 *
 * @module
 */

import { ByteBuffer } from "hdr-histogram-js";
import zigZag from "hdr-histogram-js/dist/ZigZagEncoding.js";
import { inflateSync } from "node:zlib";
import { MeariError } from "../../lib/errors.ts";
import { LatencyRecorder } from "./latency.ts";

/** Which values each count of a histogram stands for. */
export interface HistogramLayout {
  /** The binary logarithm of the step between the lowest values. */
  unitMagnitude: number;
  /** Into how many steps each doubling of the value is divided, a power of two. The lowest ones have twice as many. */
  steps: number;
}

/** A histogram of a log. */
export interface LoggedHistogram {
  /** What its counts stand for. */
  layout: HistogramLayout;
  /** The places of the counts that are not zero, ascending. */
  indices: readonly number[];
  /** Those counts. */
  counts: readonly number[];
  /** Their sum. */
  total: number;
}

const HEADER_BYTES = 40;

/** The most bytes of a count. */
const WORD_BYTES = 9;

/** As many counts as a histogram of five significant digits and 64-bit values has. */
const MOST_COUNTS = 6_200_000;

/**
 * Reads a histogram in the compressed V2 encoding.
 *
 * @param encoded The histogram in Base64, as a log has it.
 * @returns The histogram.
 * @throws {MeariError} If it is damaged, or in another encoding.
 */
export function decodeHistogram(encoded: string): LoggedHistogram {
  const bytes = decompress(encoded);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER_BYTES || !isCookie(header.getInt32(0), 0x1c849303)) throw damaged();
  const end = HEADER_BYTES + header.getInt32(4);
  const digits = header.getInt32(12);
  const [lowest, highest] = [Number(header.getBigInt64(16)), Number(header.getBigInt64(24))];
  const sound = digits >= 0 && digits <= 5 && lowest >= 1 && highest >= 2 * lowest && end <= bytes.length;
  if (!sound) throw damaged();

  const layout = { unitMagnitude: Math.floor(Math.log2(lowest)), steps: stepsFor(digits) };
  const places = placesUpTo(highest, layout);
  const indices: number[] = [], counts: number[] = [];
  let index = 0, total = 0;
  const words = new ByteBuffer(bytes);
  for (words.position = HEADER_BYTES; words.position < end;) {
    const word = zigZag.default.decode(words);
    if (word > 0) {
      indices.push(index);
      counts.push(word);
      total += word;
    }
    // A negative word stands for that many counts of zero.
    index += Math.max(1, -word);
  }
  if (words.position > end || index > places || total > Number.MAX_SAFE_INTEGER) throw damaged();
  return { layout, indices, counts, total };
}

function decompress(encoded: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(encoded, { lastChunkHandling: "strict" });
  } catch {
    throw damaged();
  }
  if (bytes.length < 8) throw damaged();
  const header = new DataView(bytes.buffer);
  if (!isCookie(header.getInt32(0), 0x1c849304)) {
    throw new MeariError("this histogram is not in the compressed V2 encoding");
  }
  const end = 8 + header.getInt32(4);
  if (end < 8 || end > bytes.length) throw damaged();
  try {
    return inflateSync(bytes.subarray(8, end), { maxOutputLength: HEADER_BYTES + WORD_BYTES * MOST_COUNTS });
  } catch {
    throw damaged();
  }
}

/** The second hexadecimal digit from the right is the size of a word, which is the same for all of this encoding. */
function isCookie(cookie: number, base: number): boolean {
  return (cookie & ~0xf0) === base;
}

function damaged(): MeariError {
  return new MeariError("the histogram of this interval is damaged");
}

function stepsFor(digits: number): number {
  return 2 ** (Math.ceil(Math.log2(2 * 10 ** digits)) - 1);
}

function placesUpTo(highest: number, { unitMagnitude, steps }: HistogramLayout): number {
  let buckets = 1;
  for (let beyond = 2 * steps * 2 ** unitMagnitude; beyond <= highest; beyond *= 2) buckets++;
  return (buckets + 1) * steps;
}

/** The sum of many histograms. */
export class HistogramSum {
  #sums = new Map<string, { layout: HistogramLayout; counts: Float64Array }>();
  #total = 0;

  /** How many values all of them hold. */
  get total(): number {
    return this.#total;
  }

  /**
   * Adds a histogram.
   *
   * @param histogram The histogram.
   */
  add({ layout, indices, counts, total }: LoggedHistogram): void {
    const key = `${layout.unitMagnitude} ${layout.steps}`;
    const sum = this.#sums.get(key) ?? { layout, counts: new Float64Array(1024) };
    this.#sums.set(key, sum);
    const length = (indices.at(-1) ?? 0) + 1;
    if (length > sum.counts.length) {
      const grown = new Float64Array(Math.max(length, 2 * sum.counts.length));
      grown.set(sum.counts);
      sum.counts = grown;
    }
    for (let at = 0; at < indices.length; at++) sum.counts[indices[at]!]! += counts[at]!;
    this.#total += total;
  }

  /**
   * Tells the sum, its values taken as nanoseconds.
   *
   * @returns A recorder that tells all, the mean and the standard deviation too, as exactly as the histograms do.
   */
  recorder(): LatencyRecorder {
    const recorder = new LatencyRecorder();
    for (const { layout: { unitMagnitude, steps }, counts } of this.#sums.values()) {
      counts.forEach((count, index) => {
        if (count === 0) return;
        const bucket = Math.max(Math.floor(index / steps) - 1, 0);
        const size = 2 ** (bucket + unitMagnitude);
        const lowest = (index - bucket * steps) * size;
        recorder.recordRange(lowest, lowest + size - 1, count);
      });
    }
    return recorder;
  }
}
