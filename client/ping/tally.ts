/**
 * Tells lost, late, doubled, reordered and damaged answers apart, and counts them. It knows neither sockets nor timers.
 *
 * @module
 */

import { JitterMeter, type JitterSummary } from "../measure/jitter.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { type RttSummary, rttSummary } from "../measure/summary.ts";
import { type ProbeFormat, SEND_TIME_AT } from "./probe.ts";

/** How many unanswered probes are remembered; a flood into the void must not grow without bound. */
const REMEMBERED = 1_000_000;

/** An answer, and what was odd about it. */
export interface Sample {
  /** The sequence number of the probe; `undefined` where the answer does not tell it. */
  sequence: number | undefined;
  /** The size of the answer in bytes. */
  bytes: number;
  /** The round-trip time in nanoseconds; `undefined` where the send time is not known. */
  rtt: number | undefined;
  /** Whether it came after the wait for it was over. */
  late: boolean;
  /** Whether the probe was answered before. */
  duplicate: boolean;
  /** Whether an answer to a later probe came before it (RFC 4737, section 3). */
  reordered: boolean;
  /** The first wrong byte, counted from 0, where the answer is not what was sent. */
  wrongAt: number | undefined;
}

/** An answer of which nothing is known yet. */
const blank: Sample = {
  sequence: undefined,
  bytes: 0,
  rtt: undefined,
  late: false,
  duplicate: false,
  reordered: false,
  wrongAt: undefined,
};

/** The counts of a session. Each probe was received, damaged, or lost: `sent = received + corrupted + lost`. */
export interface PingCounts {
  /** Probes sent. */
  sent: number;
  /** Probes of which a whole answer came, late ones included. */
  received: number;
  /** Probes of which none came, not even a damaged one. */
  lost: number;
  /** Of the received, those whose answer came after the wait for it was over. */
  late: number;
  /** Further answers to probes that were answered before. */
  duplicated: number;
  /** Of the received, those whose answer came after that of a later probe. */
  reordered: number;
  /** Answers that are not what was sent. */
  corrupted: number;
}

/** What a session measured. */
export interface PingSummary extends PingCounts {
  /** Round-trip times in microseconds, over the received; `null` where there are none. */
  rtt_us: RttSummary | null;
  /** Jitter in microseconds. */
  jitter_us: JitterSummary;
  /** How long the session took, in seconds. */
  duration_s: number;
}

/** Keeps the books of a session. Times are in nanoseconds since it began. */
export class PingTally {
  /** The round-trip times. */
  readonly latencies: LatencyRecorder = new LatencyRecorder();
  #jitter = new JitterMeter();
  #format: ProbeFormat;
  #wait: number;
  #unanswered = new Map<number, number>();
  #sent = 0;
  #received = 0;
  #late = 0;
  #duplicated = 0;
  #reordered = 0;
  #corrupted = 0;
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
    return this.#unanswered.size;
  }

  /**
   * Notes that a probe goes out.
   *
   * @param now The time.
   * @returns Its sequence number, from 1 on.
   */
  send(now: number): number {
    this.#unanswered.set(++this.#sent, now);
    if (this.#unanswered.size > REMEMBERED) this.#unanswered.delete(this.#oldest()!);
    return this.#sent;
  }

  /**
   * Takes an answer.
   *
   * @param answer Its bytes.
   * @param now When it came.
   * @returns What it is.
   */
  answer(answer: Uint8Array, now: number): Sample {
    const reading = this.#format.read(answer, this.#sent);
    const bytes = answer.length;
    if (reading.kind === "foreign") {
      this.#corrupted++;
      return { ...blank, bytes, wrongAt: 0 };
    }
    const sequence = this.#format.numbered ? reading.sequence : this.#nextInOrder(now);
    const sentAt = sequence === undefined ? undefined : this.#unanswered.get(sequence);
    if (reading.kind === "damaged" || (this.#format.numbered && sentAt !== undefined && sentAt !== reading.sentAt)) {
      this.#corrupted++;
      if (sequence !== undefined) this.#unanswered.delete(sequence);
      return { ...blank, sequence, bytes, wrongAt: reading.kind === "damaged" ? reading.wrongAt : SEND_TIME_AT };
    }
    if (sequence === undefined || sentAt === undefined) {
      this.#duplicated++;
      const rtt = this.#format.numbered ? now - reading.sentAt : undefined;
      return { ...blank, sequence, bytes, rtt, duplicate: true };
    }
    return { ...this.complete(sequence, now), bytes };
  }

  /**
   * Takes the completion of a probe that has no bytes to check: a connection that was made.
   *
   * @param sequence The sequence number of the probe.
   * @param now When it was complete.
   * @returns What it is.
   */
  complete(sequence: number, now: number): Sample {
    const sentAt = this.#unanswered.get(sequence)!;
    this.#unanswered.delete(sequence);
    this.#received++;
    const rtt = now - sentAt;
    const late = rtt > this.#wait;
    if (late) this.#late++;
    const reordered = sequence < this.#highest;
    if (reordered) this.#reordered++;
    this.#highest = Math.max(this.#highest, sequence);
    this.latencies.record(rtt);
    this.#jitter.record(sequence, rtt);
    return { ...blank, sequence, rtt, late, reordered };
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
    if (!final) { for (const sentAt of this.#unanswered.values()) if (now - sentAt <= this.#wait) pending++; }
    const sent = this.#sent - pending;
    return {
      sent,
      received: this.#received,
      lost: Math.max(0, sent - this.#received - this.#corrupted),
      late: this.#late,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      corrupted: this.#corrupted,
      rtt_us: rttSummary(this.latencies),
      jitter_us: this.#jitter.summary(),
      duration_s: Math.round(now / 1000) / 1e6,
    };
  }

  #oldest(): number | undefined {
    return this.#unanswered.keys().next().value;
  }

  /** Without a header, an answer is taken for that of the first probe that is still waited for. */
  #nextInOrder(now: number): number | undefined {
    let first = this.#oldest();
    while (first !== undefined && now - this.#unanswered.get(first)! > this.#wait) {
      this.#unanswered.delete(first);
      first = this.#oldest();
    }
    return first;
  }
}
