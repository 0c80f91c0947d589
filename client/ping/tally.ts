/**
 * Counts what becomes of probes, and tells duplicate, reordered, corrupted, late and unrelated answers from the others.
 * It knows neither sockets nor timers.
 *
 * @module
 */

import { JitterMeter, type JitterSummary } from "../measure/jitter.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { type RttSummary, rttSummary } from "../measure/summary.ts";
import { type ProbeFormat, SEND_TIME_AT } from "./probe.ts";
import type { Oddity, Sample } from "./sample.ts";

/** How many unanswered probes are remembered; a flood into the void must not grow without bound. */
const REMEMBERED = 1_000_000;

/**
 * The counts of a session. Each probe is received, corrupted or lost, `sent = received + corrupted + lost`, and each
 * answer is counted once, as `received`, `corrupted`, `duplicate` or `unrelated`.
 */
export interface PingCounts {
  /** Probes sent. */
  sent: number;
  /** Probes of which a whole answer came, be it late or after a corrupted one. */
  received: number;
  /** Probes of which no answer came. */
  lost: number;
  /** Of the received, those whose answer came after the wait for it was over. */
  late: number;
  /** Answers to a probe beyond one, whole or not. */
  duplicate: number;
  /** Of the received, those whose answer came after that of a later probe. */
  reordered: number;
  /** Probes of which only corrupted answers came. */
  corrupted: number;
  /** Answers that are of no probe of this session. */
  unrelated: number;
}

/** What a session measured. */
export interface PingSummary extends PingCounts {
  /** Round-trip times in microseconds, over the received; `null` where there are none. */
  rtt_us: RttSummary | null;
  /** Of the round-trip times, how long this program took to wake up for the answers; only where the system tells. */
  wakeup_us?: RttSummary;
  /** Jitter in microseconds. */
  jitter_us: JitterSummary;
  /** How long the session took, in seconds. */
  duration_s: number;
}

/** Counts the probes and answers of a session. Times are in nanoseconds since it began. */
export class PingTally {
  /** The round-trip times of the received. */
  readonly latencies: LatencyRecorder = new LatencyRecorder();
  #wakeups = new LatencyRecorder();
  #jitter = new JitterMeter();
  #format: ProbeFormat;
  #wait: number;
  /** When each probe was sent of which a whole answer may still come. */
  #open = new Map<number, number>();
  /** Those of them that a corrupted answer came of. */
  #damaged = new Set<number>();
  #sent = 0;
  #received = 0;
  #late = 0;
  #duplicate = 0;
  #reordered = 0;
  #corrupted = 0;
  #unrelated = 0;
  #highest = 0;

  /**
   * @param format The session's probes.
   * @param wait After how many nanoseconds an answer is late.
   */
  constructor(format: ProbeFormat, wait: number) {
    this.#format = format;
    this.#wait = wait;
  }

  /** How many probes were sent: the last sequence number. */
  get sent(): number {
    return this.#sent;
  }

  /** How many probes have no answer yet. */
  get outstanding(): number {
    return this.#open.size - this.#damaged.size;
  }

  /**
   * Notes that a probe goes out.
   *
   * @param now The time.
   * @returns Its sequence number, from 1 on.
   */
  send(now: number): number {
    this.#open.set(++this.#sent, now);
    if (this.#open.size > REMEMBERED) this.#forget(this.#open.keys().next().value!);
    return this.#sent;
  }

  /**
   * Notes that a probe could not be sent after all, or a connection not be made: it is lost.
   *
   * @param sequence The sequence number of the probe.
   */
  fail(sequence: number): void {
    this.#forget(sequence);
  }

  /**
   * Takes an answer.
   *
   * @param answer Its bytes.
   * @param now When it was read.
   * @param wakeup How long after the system had received it, where that is known.
   * @returns What it is.
   */
  answer(answer: Uint8Array, now: number, wakeup?: number): Sample {
    const sample = this.#take(answer, now);
    if (wakeup === undefined) return sample;
    this.#wakeups.record(wakeup);
    return { ...sample, wakeup_us: microseconds(wakeup) };
  }

  #take(answer: Uint8Array, now: number): Sample {
    const format = this.#format;
    const bytes = answer.length;
    const sequence = format.numbered ? format.sequenceOf(answer) : this.#sequenceByContent(answer, now);
    if (sequence === undefined || sequence < 1 || sequence > this.#sent) {
      this.#unrelated++;
      return { seq: null, rtt_us: null, bytes, odd: ["unrelated"] };
    }
    const known = this.#open.get(sequence);
    const sentAt = known ?? format.sentAtOf(answer);
    let wrongAt = format.firstDifference(answer, sequence, sentAt);
    if (format.numbered && wrongAt === undefined && !(sentAt >= 0 && sentAt <= now)) wrongAt = SEND_TIME_AT;
    if (wrongAt !== undefined) return { ...this.#corrupt(sequence), bytes, wrong_byte: wrongAt + 1 };
    if (known !== undefined) return { ...this.complete(sequence, now), bytes };
    this.#duplicate++;
    return { seq: sequence, rtt_us: format.numbered ? microseconds(now - sentAt) : null, bytes, odd: ["duplicate"] };
  }

  /**
   * Takes the completion of a probe that has no bytes to check: a connection that was made.
   *
   * @param sequence The sequence number of the probe.
   * @param now When it was complete.
   * @returns What it is.
   */
  complete(sequence: number, now: number): Sample {
    const rtt = now - this.#open.get(sequence)!;
    const odd: Oddity[] = [];
    this.#open.delete(sequence);
    this.#received++;
    if (this.#damaged.delete(sequence)) {
      this.#corrupted--;
      this.#duplicate++;
      odd.push("duplicate");
    }
    if (sequence < this.#highest) {
      this.#reordered++;
      odd.push("reordered");
    }
    if (rtt > this.#wait) {
      this.#late++;
      odd.push("late");
    }
    this.#highest = Math.max(this.#highest, sequence);
    this.latencies.record(rtt);
    this.#jitter.record(sequence, rtt);
    return { seq: sequence, rtt_us: microseconds(rtt), bytes: 0, odd };
  }

  /**
   * Sums up.
   *
   * @param now The time.
   * @param final Whether the session is over; before, a probe that is still waited for does not count as sent.
   * @returns The summary.
   */
  summary(now: number, final: boolean): PingSummary {
    let pending = 0;
    if (!final) {
      for (const [sequence, sentAt] of this.#open) {
        if (now - sentAt <= this.#wait && !this.#damaged.has(sequence)) pending++;
      }
    }
    const sent = this.#sent - pending;
    const wakeups = rttSummary(this.#wakeups);
    return {
      sent,
      received: this.#received,
      lost: sent - this.#received - this.#corrupted,
      late: this.#late,
      duplicate: this.#duplicate,
      reordered: this.#reordered,
      corrupted: this.#corrupted,
      unrelated: this.#unrelated,
      rtt_us: rttSummary(this.latencies),
      ...(wakeups && { wakeup_us: wakeups }),
      jitter_us: this.#jitter.summary(),
      duration_s: Math.round(now / 1000) / 1e6,
    };
  }

  #corrupt(sequence: number): Omit<Sample, "bytes"> {
    if (this.#open.has(sequence) && !this.#damaged.has(sequence)) {
      this.#corrupted++;
      this.#damaged.add(sequence);
      return { seq: sequence, rtt_us: null, odd: ["corrupted"] };
    }
    this.#duplicate++;
    return { seq: sequence, rtt_us: null, odd: ["corrupted", "duplicate"] };
  }

  /** Its state is final: nothing that still comes is its first whole answer. */
  #forget(sequence: number): void {
    this.#open.delete(sequence);
    this.#damaged.delete(sequence);
  }

  /**
   * Without a header, an answer is of the first probe like it that is still waited for, or else of the last one like it
   * that was sent; one that is like none is taken for a corrupted answer to the first that has none yet.
   */
  #sequenceByContent(answer: Uint8Array, now: number): number | undefined {
    for (const [sequence, sentAt] of this.#open) {
      if (now - sentAt <= this.#wait) break;
      this.#forget(sequence);
    }
    const { period } = this.#format;
    const remainder = this.#format.remainderOf(answer);
    if (remainder !== undefined) {
      const first = this.#open.keys().next().value ?? this.#sent;
      for (let like = first + modulo(remainder - first, period); like <= this.#sent; like += period) {
        if (this.#open.has(like)) return like;
      }
      const last = this.#sent - modulo(this.#sent - remainder, period);
      if (last >= 1) return last;
    }
    for (const sequence of this.#open.keys()) if (!this.#damaged.has(sequence)) return sequence;
    return undefined;
  }
}

/** The remainder that is not negative. */
function modulo(value: number, divisor: number): number {
  return (value % divisor + divisor) % divisor;
}

/** Nanoseconds as microseconds, to the nanosecond. */
function microseconds(ns: number): number {
  return Math.round(ns) / 1000;
}
