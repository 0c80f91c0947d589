/**
 * The part of a load that one thread carries.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { errorCode } from "../../../lib/errors.ts";
import type { LatencyRecorder } from "../../measure/latency.ts";
import { LoadConnection } from "./connection.ts";
import { LoadCounters, type LoadCounts } from "./counters.ts";
import { makeNoise } from "./exchange/noise.ts";
import type { LoadEngine } from "./link.ts";
import { NativeEngine } from "./native/engine.ts";
import { Pacer } from "./pacer.ts";
import type { LoadPlan } from "./plan.ts";
import { PortableEngine } from "./portable/engine.ts";
import { LoadSchedule } from "./schedule.ts";

/** What a load tells about once a second, and at its end. Times are in milliseconds from where messages count. */
export interface LoadReport {
  /** When the last report was. */
  from: number;
  /** When this one is; in the last one the end of the measurement. */
  to: number;
  /** The latencies since the last report; valid only during the call. */
  latencies: LatencyRecorder;
  /** What else was counted so far. */
  counts: LoadCounts;
  /** How many bytes have come back of messages that are not answered whole. */
  partialBytes: number;
  /** The share of the time in which this thread had something to do while it sent; `undefined` where that is not known. */
  busy: number | undefined;
  /** The longest time that a message was sent after it was due, in milliseconds; `undefined` without a rate. */
  behind: number | undefined;
}

/** How many connections are made at once. */
const CONNECTING = 128;

/** How often to look for answers that are overdue, at the least, in milliseconds. */
const TICK = 100;

/** How long a load that is stopped waits for the answers to what it has sent, in milliseconds. */
const GRACE = 250;

/** The part of a load that one thread carries: its connections, from the first to the last. */
export class Load {
  #plan: LoadPlan;
  #onReport: (report: LoadReport) => void;
  #schedule: LoadSchedule;
  #counters: LoadCounters;
  #engine: LoadEngine;
  #connections: LoadConnection[];
  #pacer: Pacer | undefined;
  #reported = 0;
  /** When the sending began, and what the engine had been idle for before. */
  #began: { time: number; idle: number } | undefined;
  #busy: number | undefined;

  /**
   * Prepares a load; nothing is connected yet.
   *
   * @param plan The load.
   * @param onReport Told of what was measured.
   */
  constructor(plan: LoadPlan, onReport: (report: LoadReport) => void) {
    const schedule = new LoadSchedule(plan);
    const counters = new LoadCounters(plan, schedule);
    const shared = { plan, schedule, counters, noise: makeNoise() };
    this.#plan = plan;
    this.#onReport = onReport;
    this.#schedule = schedule;
    this.#counters = counters;
    const engine = this.#engine = plan.native ? new NativeEngine(this.#period) : new PortableEngine();
    this.#connections = Array.from(
      { length: plan.count },
      (_, i) => new LoadConnection(plan.first + i, shared, engine),
    );
  }

  /**
   * Makes the connections, some at once. It gives up where an attempt takes the whole time that it may and none succeeds
   * meanwhile, so that a server which answers nothing is waited for once and not for each of them.
   *
   * @throws {MeariError} If none could be made.
   */
  async open(): Promise<void> {
    const waiting = this.#connections.values();
    let connected = -Infinity;
    let givenUp: Error | undefined;
    const connect = async () => {
      for (const connection of waiting) {
        if (!this.#schedule.sending) return;
        if (givenUp) {
          connection.refuse(givenUp);
          continue;
        }
        const begun = performance.now();
        const failure = await connection.open();
        if (failure === undefined) connected = performance.now();
        else if (isTimeout(failure.cause) && connected < begun) givenUp ??= failure;
      }
    };
    await Promise.all(Array.from({ length: CONNECTING }, connect));
    this.#throwWhereRefused();
  }

  /**
   * Runs the load to its end.
   *
   * @param start When to begin, in milliseconds since 1970.
   * @throws {MeariError} If nothing could be sent on any connection.
   */
  async run(start: number): Promise<void> {
    const schedule = this.#schedule, counters = this.#counters;
    const begin = start - performance.timeOrigin;
    const { rate } = this.#plan;
    const over = new AbortController();
    const ticks = setInterval(() => this.#tick(), this.#period);
    try {
      const run = () => Promise.all(this.#connections.map((connection) => connection.run()));
      schedule.begin(begin);
      let all: Promise<unknown> | undefined;
      if (rate !== undefined) {
        all = run();
        this.#pacer = new Pacer(this.#plan, schedule, this.#connections);
        this.#engine.pace(this.#pacer, over.signal);
      }
      // A timer may go off a little early, and what is sent then would not count.
      for (let now = 0; (now = performance.now()) < begin && schedule.sending;) {
        await pause(begin - now, schedule.over);
      }
      this.#began = { time: performance.now(), idle: this.#engine.idle ?? 0 };
      all ??= run();
      this.#reportEachSecond(over.signal);
      await Promise.race([schedule.sent, all]);
      schedule.endSending();
      this.#busy = this.#busySoFar();
      this.#began = undefined;
      await Promise.race([schedule.idle, all, this.#waitForAnswers(performance.now() - begin, over.signal)]);
      const measured = counters.measured(performance.now());
      await Promise.all(this.#connections.map((connection) => connection.end()));
      await all;
      over.abort();
      if (rate !== undefined && !schedule.stopped.aborted) {
        for (const connection of this.#connections) connection.loseRest();
      }
      this.#report(Math.max(measured, this.#reported));
    } finally {
      over.abort();
      clearInterval(ticks);
    }
    this.#throwWhereRefused();
  }

  /** Ends the load early: nothing more is sent, and answers are waited for only for a moment. */
  stop(): void {
    this.#schedule.stop();
  }

  /** Lets go of the connections. */
  async close(): Promise<void> {
    this.stop();
    for (const connection of this.#connections) connection.cut();
    await this.#engine.close();
  }

  /** How often to look for answers that are overdue, in milliseconds. */
  get #period(): number {
    const { wait, timeout } = this.#plan;
    return Math.max(1, Math.min(TICK, wait / 4, timeout / 4));
  }

  /** Throws where the server was never there, on no connection. */
  #throwWhereRefused(): void {
    if (this.#connections.every(({ refusal, reached }) => refusal !== undefined && !reached)) {
      throw this.#connections[0]!.refusal;
    }
  }

  /**
   * Waits for what is in flight at the end of the sending. Where messages are counted, it waits as long as anything comes;
   * a load with a rate may have to catch up, which may take it as long as it took to get behind.
   */
  async #waitForAnswers(elapsed: number, over: AbortSignal): Promise<void> {
    const { rate, messages, timeout, wait } = this.#plan;
    const signal = AbortSignal.any([this.#schedule.stopped, over]);
    const patience = Math.max(timeout, wait) + 2 * TICK;
    let since = 0;
    do {
      since = performance.now();
      await pause(patience + (rate === undefined ? 0 : elapsed), signal);
    } while (messages !== undefined && this.#counters.lastAnswer > since && !signal.aborted);
    if (this.#schedule.stopped.aborted) await pause(GRACE, over);
  }

  #tick(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.watch(now);
    if (this.#plan.rate === undefined && now >= this.#schedule.end) this.#schedule.endSending();
  }

  /** Reports each second, until the signal. */
  async #reportEachSecond(signal: AbortSignal): Promise<void> {
    while (true) {
      await pause(this.#schedule.measureFrom + this.#reported + 1000 - performance.now(), signal);
      if (signal.aborted) return;
      this.#report(performance.now() - this.#schedule.measureFrom);
    }
  }

  #report(to: number): void {
    const { latencies, counts } = this.#counters;
    const partialBytes = this.#connections.reduce(
      (sum, { partialBytes }) => sum + partialBytes,
      counts.unfinishedBytes,
    );
    const busy = this.#busySoFar(), behind = this.#pacer?.behind;
    this.#onReport({ from: this.#reported, to, latencies, counts, partialBytes, busy, behind });
    this.#reported = to;
    latencies.reset();
  }

  #busySoFar(): number | undefined {
    const { idle } = this.#engine;
    if (idle === undefined || this.#began === undefined) return this.#busy;
    const elapsed = performance.now() - this.#began.time;
    return elapsed > 0 ? Math.min(1, Math.max(0, 1 - (idle - this.#began.idle) / elapsed)) : undefined;
  }
}

/** Waits for so many milliseconds, or until the signal, which is no failure. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, { signal }).catch(() => {});
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "TimeoutError" || errorCode(cause) === "ETIMEDOUT");
}
