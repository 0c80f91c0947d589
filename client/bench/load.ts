/**
 * The part of a load that one thread carries: its connections, from the first to the last.
 *
 * @module
 */

import { setImmediate } from "node:timers";

import { describeCause, MeariError } from "../../lib/errors.ts";
import type { LatencyRecorder } from "../measure/latency.ts";
import { connectMessages, connectStream, isStream } from "../../lib/transport/mod.ts";
import { countCause, Course, type Faults, type LoadPlan } from "./schedule.ts";
import { DatagramLink } from "./datagram_link.ts";
import type { Link, Place } from "./link.ts";
import { makeNoise } from "./noise.ts";
import { StreamLink } from "./stream_link.ts";

/** What a load tells about once a second, and at its end. Times are in milliseconds from where messages count. */
export interface LoadReport {
  /** When the last report was. */
  from: number;
  /** When this one is; in the last one the end of the measurement. */
  to: number;
  /** The latencies since the last report; valid only during the call. */
  latencies: LatencyRecorder;
  /** What went wrong so far. */
  faults: Faults;
}

/** How many connections are made at once. */
const CONNECTING = 128;

/** How often to look for answers that are overdue, at the least, in milliseconds. */
const TICK = 100;

/** The pause before a connection is replaced that brought nothing, in milliseconds: the first time, and the most. */
const BACKOFF = { first: 50, most: 1000 };

/** A timer is late by up to as much, in milliseconds; from then on a load with a rate looks at the clock instead. */
const TIMER_ERROR = 2.5;

/** How long a load with a rate may send what is due before it looks for answers, in milliseconds. */
const LONGEST_TURN = 1;

/** How long a load that is stopped waits for the answers to what it has sent, in milliseconds. */
const GRACE = 250;

interface Slot extends Place {
  link: Link | undefined;
  /** Messages that are due and were not begun to be sent. */
  waiting: number;
}

/** The part of a load that one thread carries. */
export class Load {
  #plan: LoadPlan;
  #onReport: (report: LoadReport) => void;
  #course: Course;
  #noise = makeNoise();
  #slots: Slot[];
  #stop = new AbortController();
  #reported = 0;

  /**
   * Prepares a load; nothing is connected yet.
   *
   * @param plan The load.
   * @param onReport Told of what was measured.
   */
  constructor(plan: LoadPlan, onReport: (report: LoadReport) => void) {
    this.#plan = plan;
    this.#onReport = onReport;
    this.#course = new Course(plan);
    this.#slots = Array.from(
      { length: plan.count },
      (_, index) => ({ number: plan.first + index, begun: 0, link: undefined, waiting: 0 }),
    );
  }

  /**
   * Makes the connections.
   *
   * @throws {MeariError} If none could be made.
   */
  async open(): Promise<void> {
    let failure: MeariError | undefined;
    for (let at = 0; at < this.#slots.length && !this.#stop.signal.aborted; at += CONNECTING) {
      await Promise.all(
        this.#slots.slice(at, at + CONNECTING).map(async (slot) => {
          try {
            slot.link = await this.#connect(slot);
          } catch (error) {
            failure ??= error as MeariError;
          }
        }),
      );
    }
    if (failure && !this.#stop.signal.aborted && this.#slots.every(({ link }) => link === undefined)) throw failure;
  }

  /**
   * Runs the load to its end.
   *
   * @param start When to begin, in milliseconds since 1970.
   */
  async run(start: number): Promise<void> {
    const course = this.#course;
    const begin = start - performance.timeOrigin;
    // A timer may go off a little early, and what is sent then would not count.
    for (let now = 0; (now = performance.now()) < begin && !this.#stop.signal.aborted;) {
      await sleep(begin - now, this.#stop.signal);
    }
    course.begin(begin);
    if (this.#stop.signal.aborted) course.endSending();

    const { rate, wait, timeout } = this.#plan;
    const over = new AbortController();
    const ticks = setInterval(() => this.#tick(), Math.max(1, Math.min(TICK, wait / 4, timeout / 4)));
    try {
      const all = Promise.all(this.#slots.map((slot) => this.#attend(slot)));
      if (rate !== undefined) this.#pace(over.signal);
      this.#reportEachSecond(over.signal);
      await Promise.race([course.sent, all]);
      course.endSending();
      const patience = performance.now() - begin + Math.max(timeout, wait);
      await Promise.race([course.idle, all, this.#waitForAnswers(patience, over.signal)]);
      const measured = course.measured(performance.now());
      await Promise.all(this.#slots.map(({ link }) => link?.end()));
      await all;
      over.abort();
      this.#report(Math.max(measured, this.#reported));
    } finally {
      over.abort();
      clearInterval(ticks);
    }
  }

  /** Ends the load early: nothing more is sent, and answers are waited for only for a moment. */
  stop(): void {
    this.#stop.abort();
    this.#course.endSending();
  }

  async #connect(slot: Slot): Promise<Link> {
    const { endpoint, timeout } = this.#plan;
    const bounds = { timeout, signal: this.#stop.signal };
    try {
      return !isStream(endpoint)
        ? new DatagramLink(await connectMessages(endpoint, bounds), slot, this.#course, this.#plan, this.#noise)
        : new StreamLink(
          await connectStream(endpoint, bounds),
          slot,
          this.#course,
          this.#plan,
          this.#noise,
        );
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        const cause = describeCause(error instanceof MeariError ? error.cause ?? error : error);
        countCause(this.#course.faults.refused, `cannot connect: ${cause}`);
      }
      throw error;
    }
  }

  /** Keeps a connection busy, and replaces it where that is wanted. */
  async #attend(slot: Slot): Promise<void> {
    const course = this.#course;
    for (let failures = 0;;) {
      const link = slot.link;
      if (link) {
        const now = performance.now();
        const more = this.#plan.rate === undefined ? course.claim(this.#plan.depth - slot.waiting, now) : 0;
        link.push(slot.waiting + more, now);
        link.start();
        slot.waiting = 0;
        const cause = await link.finished;
        slot.link = undefined;
        if (cause !== undefined) countCause(course.faults.broken, cause);
        slot.waiting = link.abandon(!this.#stop.signal.aborted);
        failures = link.answered ? 0 : failures;
      }
      if (!this.#plan.reconnect || !course.sending) break;
      if (!link?.answered) await sleep(Math.min(BACKOFF.first * 2 ** failures++, BACKOFF.most), this.#stop.signal);
      const replacement = await this.#connect(slot).catch(() => undefined);
      if (course.sending) slot.link = replacement;
      else replacement?.cut();
    }
    // On a schedule, what could not even be sent in time has no answer either.
    if (this.#plan.rate !== undefined && !this.#stop.signal.aborted) {
      for (let i = 0; i < slot.waiting; i++) course.lose(course.dueAt(slot.number, slot.begun + i));
    }
    course.release(slot.waiting);
  }

  /** Sends what is due, as soon as it is due. */
  async #pace(over: AbortSignal): Promise<void> {
    const course = this.#course;
    const { connections, reconnect } = this.#plan;
    const end = course.scheduled;
    let turned = performance.now();
    for (let round = 0; course.sending; round++) {
      for (const slot of this.#slots) {
        if (round * connections + slot.number >= end) return course.endSending();
        const due = course.dueAt(slot.number, round);
        for (let now = performance.now(); course.sending && (now < due || now - turned > LONGEST_TURN);) {
          // A timer is not exact enough. A turn of the event loop is, and takes what has come meanwhile.
          if (due - now > TIMER_ERROR) await sleep(due - now - TIMER_ERROR, over);
          else await new Promise<void>((resolve) => void setImmediate(resolve));
          turned = now = performance.now();
        }
        if (!course.sending) return;
        if (!slot.link && !reconnect) continue;
        course.fallDue();
        if (slot.link) slot.link.push(1, due);
        else slot.waiting++;
      }
    }
  }

  async #waitForAnswers(patience: number, over: AbortSignal): Promise<void> {
    await sleep(patience, AbortSignal.any([this.#stop.signal, over]));
    if (this.#stop.signal.aborted) await sleep(GRACE, over);
  }

  #tick(): void {
    const now = performance.now();
    for (const { link } of this.#slots) link?.watch(now);
    if (this.#plan.rate === undefined && now >= this.#course.end) this.#course.endSending();
  }

  /** Reports each second, until the signal. */
  async #reportEachSecond(signal: AbortSignal): Promise<void> {
    while (true) {
      await sleep(this.#course.measureFrom + this.#reported + 1000 - performance.now(), signal);
      if (signal.aborted) return;
      this.#report(performance.now() - this.#course.measureFrom);
    }
  }

  #report(to: number): void {
    const { latencies, faults } = this.#course;
    this.#onReport({ from: this.#reported, to, latencies, faults });
    this.#reported = to;
    latencies.reset();
  }
}

/** Waits for so many milliseconds, or until the signal. */
async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(milliseconds, 2 ** 31 - 1));
  const onAbort = () => resolve();
  signal?.addEventListener("abort", onAbort, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", onAbort);
}
