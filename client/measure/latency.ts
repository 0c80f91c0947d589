/**
 * A recorder of latencies in constant memory: their distribution and their statistics.
 *
 * @module
 */

import type { JsHistogram } from "hdr-histogram-js";
import float64 from "hdr-histogram-js/dist/Float64Histogram.js";

/** The longest latency that the distribution tells from longer ones, in nanoseconds: four hours. */
export const LONGEST_LATENCY = 4 * 3600 * 1e9;

/** A recorder's content as plain data that `postMessage` can carry; {@linkcode LatencyRecorder.decode} reads it. */
export interface EncodedLatencies {
  /** How often each value of the histogram was recorded, up to the last one that was; its buffer can be transferred. */
  counts: Float64Array<ArrayBuffer>;
  /** The mean, in nanoseconds. */
  mean: number;
  /** The sum of the squared distances from the mean. */
  m2: number;
  /** The shortest latency, in nanoseconds. */
  min: number;
  /** The longest latency, in nanoseconds. */
  max: number;
}

/**
 * Records latencies in constant memory (300 KB), whatever their number.
 *
 * The count, the minimum and the maximum are exact, and so, but for rounding, are the mean and the standard deviation,
 * which are kept as the samples come (Welford, "Note on a method for calculating corrected sums of squares and
 * products", Technometrics 4, 1962). Percentiles come from an HdrHistogram of whole nanoseconds with three significant
 * digits: from 1 ns to 4 h they are at most 0.1 % too high. A longer latency counts as one of 4 h there.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const latencies = new LatencyRecorder();
 * for (const ns of [80_000, 90_000, 100_000, 1_200_000]) latencies.record(ns);
 * assertEquals(latencies.count, 4);
 * assertEquals(latencies.max, 1200);
 * assertEquals(latencies.percentile(50), 90.047);
 * ```
 */
export class LatencyRecorder {
  // Of the histograms of hdr-histogram-js this one records in 40 ns, holds any count, and loads without WebAssembly.
  #histogram = new float64.default(1, LONGEST_LATENCY, 3);
  #mean = 0;
  #m2 = 0;
  #min = Infinity;
  #max = 0;

  /**
   * Makes a recorder from the data of another.
   *
   * @param encoded What {@linkcode encode} returned, here or in another thread.
   * @returns The recorder.
   */
  static decode(encoded: EncodedLatencies): LatencyRecorder {
    const recorder = new LatencyRecorder();
    encoded.counts.forEach((count, index) => recorder.#histogram.setCountAtIndex(index, count));
    recorder.#histogram.establishInternalTackingValues(encoded.counts.length);
    recorder.#mean = encoded.mean;
    recorder.#m2 = encoded.m2;
    recorder.#min = encoded.min;
    recorder.#max = encoded.max;
    return recorder;
  }

  /**
   * Records a latency.
   *
   * @param ns The latency in nanoseconds.
   * @throws {RangeError} If it is negative or no number.
   */
  record(ns: number): void {
    if (!(ns >= 0)) throw new RangeError(`a latency cannot be ${ns} ns`);
    this.#histogram.recordValue(Math.round(Math.min(ns, LONGEST_LATENCY)));
    const before = ns - this.#mean;
    this.#mean += before / this.#histogram.totalCount;
    this.#m2 += before * (ns - this.#mean);
    if (ns < this.#min) this.#min = ns;
    if (ns > this.#max) this.#max = ns;
  }

  /**
   * Records latencies of which only a range is known. Each counts as one in its middle.
   *
   * @param lowest The shortest that they may be, in nanoseconds.
   * @param highest The longest that they may be, in nanoseconds.
   * @param count How many there are, 1 or more.
   */
  recordRange(lowest: number, highest: number, count: number): void {
    const ns = lowest + Math.floor((highest - lowest + 1) / 2);
    this.#histogram.recordValueWithCount(Math.min(ns, LONGEST_LATENCY), count);
    const before = ns - this.#mean;
    this.#mean += before * count / this.#histogram.totalCount;
    this.#m2 += before * count * (ns - this.#mean);
    this.#min = Math.min(this.#min, lowest);
    this.#max = Math.max(this.#max, highest);
  }

  /** How many latencies were recorded. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The shortest latency, in microseconds; `NaN` where there is none. */
  get min(): number {
    return this.count === 0 ? NaN : microseconds(this.#min);
  }

  /** The longest latency, in microseconds; `NaN` where there is none. */
  get max(): number {
    return this.count === 0 ? NaN : microseconds(this.#max);
  }

  /** The arithmetic mean, in microseconds; `NaN` where there is none. */
  get mean(): number {
    return this.count === 0 ? NaN : microseconds(this.#mean);
  }

  /**
   * The standard deviation of the sample, in microseconds: the square root of the sum of the squared distances from the
   * mean divided by n − 1, as irtt computes it (ping(8)'s mdev divides by n). 0 for a single latency, `NaN` for none.
   */
  get stddev(): number {
    return this.count === 0 ? NaN : microseconds(Math.sqrt(this.#m2 / Math.max(this.count - 1, 1)));
  }

  /**
   * A percentile by nearest rank: the shortest recorded latency that at least `p` percent of all do not exceed.
   *
   * @param p The percentage, from 0 to 100; 50 is the median.
   * @returns The latency in microseconds; `NaN` where there is none.
   */
  percentile(p: number): number {
    if (this.count === 0) return NaN;
    const ns = p === 0 ? this.#min : p === 100 ? this.#max : this.#histogram.getValueAtPercentile(p);
    return microseconds(Math.min(Math.max(ns, this.#min), this.#max));
  }

  /**
   * The distribution.
   *
   * @returns The values that were recorded, ascending, each as the middle of what the histogram does not tell apart,
   * and how often.
   */
  *values(): Generator<{ /** The latency in nanoseconds. */ ns: number; /** How often. */ count: number }> {
    const histogram = this.#histogram;
    const end = histogram.countsArrayIndex(histogram.maxValue);
    for (let index = 0; index <= end; index++) {
      const count = histogram.getCountAtIndex(index);
      if (count > 0) yield { ns: histogram.medianEquivalentValue(histogram.valueFromIndex(index)), count };
    }
  }

  /**
   * Adds what another recorder holds.
   *
   * @param other The other recorder; it stays as it is.
   */
  add(other: LatencyRecorder): void {
    if (other.count === 0) return;
    // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    const total = this.count + other.count, distance = other.#mean - this.#mean;
    this.#m2 += other.#m2 + distance ** 2 * this.count * other.count / total;
    this.#mean += distance * other.count / total;
    this.#histogram.add(other.#histogram);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Forgets everything. */
  reset(): void {
    this.#histogram.reset();
    this.#mean = this.#m2 = this.#max = 0;
    this.#min = Infinity;
  }

  /**
   * The content as plain data, to be sent to another thread.
   *
   * @returns A copy of the data, of which `counts.buffer` can be transferred.
   */
  encode(): EncodedLatencies {
    const histogram = this.#histogram;
    const length = this.count === 0 ? 0 : histogram.countsArrayIndex(histogram.maxValue) + 1;
    const counts = Float64Array.from({ length }, (_, index) => histogram.getCountAtIndex(index));
    return { counts, mean: this.#mean, m2: this.#m2, min: this.#min, max: this.#max };
  }

  /** The histogram itself, in nanoseconds, for a log; not to be changed. */
  get histogram(): JsHistogram {
    return this.#histogram;
  }
}

/** Nanoseconds as microseconds, to the nanosecond. */
function microseconds(ns: number): number {
  return Math.round(ns) / 1000;
}
