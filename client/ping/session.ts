/**
 * A ping session: what is measured, whom it is told, and when it is over.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { MeariError } from "../../lib/errors.ts";
import type { ProbeFormat } from "./probe.ts";
import type { Sample } from "./sample.ts";
import { type Pace, runSchedule } from "./schedule.ts";
import { type PingSummary, PingTally } from "./tally.ts";

/** The longest that a timer can measure, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * What sends probes and reads answers: a thread of its own that lives in the system calls, or Deno's event loop, whose own
 * work is a part of what it measures, some tenths of a millisecond.
 */
export type PingEngine = "native" | "portable";

/** How a session runs. Times are in milliseconds. */
export interface PingOptions {
  /** Between one probe and the next; 0 for as fast as answers come. Default: 1000. */
  interval?: number;
  /** As fast as answers come, and at least a hundred times a second, in place of `interval`. Default: `false`. */
  flood?: boolean;
  /** How many probes to send. Default: 4, or without end where there is a `deadline`. */
  count?: number;
  /** After how long to end in any case, once it is connected. Default: none. */
  deadline?: number;
  /** The size of a probe in bytes; under 16 it carries no sequence number. Default: 64. */
  size?: number;
  /** How long an answer is waited for; one that comes after that is late. Default: 2000. */
  wait?: number;
  /** Bounds connecting, a name lookup included. Default: 5000. */
  timeout?: number;
  /**
   * What sends and reads. `auto` is `native` where it can be: over TCP, UDP and Unix streams, on Linux with the C library
   * of GNU and the permission to use FFI. Default: `auto`.
   */
  engine?: PingEngine | "auto";
  /** Ends the session early, with what was measured so far; while connecting, with its reason as an error. */
  signal?: AbortSignal;
  /** Told once probes begin to go out. */
  onStart?: (progress: PingProgress) => void;
  /** Told of each answer. What it throws ends the session. */
  onSample?: (sample: Sample) => void;
  /** Told why a probe could not be sent, or a connection not be made; the probe is lost. */
  onFailure?: (sequence: number, cause: string) => void;
}

/** A session that runs. */
export interface PingProgress {
  /** The server's address. */
  readonly peer: string;
  /** Sums up so far; a probe that is still waited for does not count as sent. */
  summary(): PingSummary;
}

/** What a session came to. */
export interface PingResult {
  /** What was measured. */
  summary: PingSummary;
  /** What sent and read. */
  engine: PingEngine;
  /** Why it ended before it was done, where the server was the reason. */
  failure?: MeariError;
}

/** What a session sends its probes by. */
export interface Carrier {
  /** The server's address, for people. */
  peer: string;
  /** Resolves with the reason once no answer can come any more. */
  ended?: Promise<MeariError>;
  /** Sends the next probe. */
  launch(): void;
  /** Frees the socket. */
  close(): void;
}

/** What keeps the schedule of a session itself, and tells what it sent and received when that is over. */
export interface Engine extends Omit<Carrier, "launch"> {
  /**
   * Sends all probes, and waits for their answers.
   *
   * @param pace How fast.
   */
  run(pace: Pace): Promise<void>;
  /** Ends that early. */
  stop(): void;
}

/** A session. */
export class Session {
  /** The counts. */
  readonly tally: PingTally;
  #options: PingOptions;
  #wait: number;
  #startedAt = performance.now();
  #lastSentAt = 0;
  #over = false;
  #failure: MeariError | undefined;
  #thrown: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #stop: (() => void) | undefined;

  /**
   * @param options How it runs.
   * @param format Its probes.
   */
  constructor(options: PingOptions, format: ProbeFormat) {
    this.#options = options;
    this.#wait = options.wait ?? 2000;
    this.tally = new PingTally(format, this.#wait * 1e6);
  }

  /** The time in nanoseconds since the session began. */
  readonly now = (): number => (performance.now() - this.#startedAt) * 1e6;

  /**
   * Takes an answer.
   *
   * @param sample What it is.
   */
  tell(sample: Sample): void {
    this.#call(() => this.#options.onSample?.(sample));
    this.#wake?.();
  }

  /**
   * Takes the failure of a probe, which is lost.
   *
   * @param sequence The sequence number of the probe.
   * @param cause Why it could not be sent, in words.
   */
  fail(sequence: number, cause: string): void {
    // What is still in flight when the session ends fails because of that.
    if (this.#over) return;
    this.tally.fail(sequence);
    this.#call(() => this.#options.onFailure?.(sequence, cause));
    this.#wake?.();
  }

  /**
   * Runs the session to its end, and closes what it sends by.
   *
   * @param by What to send by.
   * @returns What was measured.
   * @throws What a callback of the options threw.
   */
  async run(by: Carrier | Engine): Promise<PingResult> {
    const { signal, deadline, onStart, interval = 1000, flood = false } = this.#options;
    const { count = deadline === undefined ? 4 : Infinity } = this.#options;
    const pace: Pace = { interval, flood, count, wait: this.#wait };
    if ("run" in by) this.#stop = () => by.stop();
    by.ended?.then((failure) => {
      if (!this.#over) this.#failure = failure;
      this.#end();
    });
    signal?.addEventListener("abort", this.#end, { once: true });
    if (signal?.aborted) this.#end();
    const timer = setTimeout(this.#end, Math.min(deadline ?? Infinity, LONGEST_TIMER));
    try {
      this.#startedAt = performance.now();
      this.#call(() => onStart?.({ peer: by.peer, summary: () => this.tally.summary(this.now(), false) }));
      await ("run" in by ? by.run(pace) : this.#keepSchedule(pace, by));
      if (this.#thrown) throw this.#thrown.error;
      const summary = this.tally.summary(this.now(), !this.#over || this.#failure !== undefined);
      const engine = "run" in by ? "native" : "portable";
      return { summary, engine, ...(this.#failure && { failure: this.#failure }) };
    } finally {
      this.#over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", this.#end);
      by.close();
    }
  }

  #keepSchedule(pace: Pace, carrier: Carrier): Promise<void> {
    return runSchedule(pace, {
      tally: this.tally,
      now: this.now,
      isOver: () => this.#over,
      launch: () => carrier.launch(),
      rest: (until) => this.#sleep(until),
    });
  }

  #end = (): void => {
    this.#over = true;
    this.#wake?.();
    this.#stop?.();
  };

  /** What a callback throws would be lost among the sockets; it ends the session instead. */
  #call(callback: () => void): void {
    if (this.#thrown) return;
    try {
      callback();
    } catch (error) {
      this.#thrown ??= { error };
      this.#end();
    }
  }

  /** Waits until a time, or until something happens; where the time has come it gives way. */
  async #sleep(until: number): Promise<void> {
    const milliseconds = Math.min((until - this.now()) / 1e6, LONGEST_TIMER);
    if (milliseconds <= 0) return await new Promise<void>((resolve) => void setImmediate(resolve));
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
