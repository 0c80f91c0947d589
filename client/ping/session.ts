/**
 * The schedule of a ping session: probes go out when they are due, whether or not answers come.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { MeariError } from "../../lib/errors.ts";
import type { ProbeFormat } from "./probe.ts";
import type { Sample } from "./sample.ts";
import { type PingSummary, PingTally } from "./tally.ts";

/** A flood sends this often, in milliseconds, even where no answers come. */
const FLOOD_INTERVAL = 10;

/** How many probes may go out before answers are looked for. */
const BURST = 16;

/** How long after the last answer to look for more of it, in milliseconds, at least; or three times the longest RTT. */
const LINGER = 10;

/** The longest that a timer can measure, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

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

/** A session: what is due, and when it is over. */
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
   * @param carrier What to send by.
   * @returns What was measured.
   * @throws What a callback of the options threw.
   */
  async run(carrier: Carrier): Promise<PingResult> {
    const { signal, deadline = LONGEST_TIMER, onStart } = this.#options;
    carrier.ended?.then((failure) => {
      if (!this.#over) this.#failure = failure;
      this.#end();
    });
    signal?.addEventListener("abort", this.#end, { once: true });
    if (signal?.aborted) this.#end();
    const timer = setTimeout(this.#end, Math.min(deadline, LONGEST_TIMER));
    try {
      this.#startedAt = performance.now();
      this.#call(() => onStart?.({ peer: carrier.peer, summary: () => this.tally.summary(this.now(), false) }));
      await this.#sendAll(carrier);
      await this.#awaitAnswers();
      if (this.#thrown) throw this.#thrown.error;
      const summary = this.tally.summary(this.now(), !this.#over || this.#failure !== undefined);
      return { summary, ...(this.#failure && { failure: this.#failure }) };
    } finally {
      this.#over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", this.#end);
      carrier.close();
    }
  }

  async #sendAll(carrier: Carrier): Promise<void> {
    const { interval = 1000, flood = false, deadline, count = deadline === undefined ? 4 : Infinity } = this.#options;
    const paced = interval > 0 && !flood;
    while (this.tally.sent < count && !this.#over) {
      const due = this.tally.sent * interval * 1e6;
      if (paced && this.now() < due) {
        await this.#sleep(due);
        continue;
      }
      this.#lastSentAt = this.now();
      carrier.launch();
      if (paced) {
        // Where many are due at once, answers are read in between: the socket's buffer holds only so many.
        if (this.tally.sent % BURST === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
        continue;
      }
      const before = this.tally.outstanding;
      const patience = this.#lastSentAt + (flood ? Math.min(FLOOD_INTERVAL, this.#wait) : this.#wait) * 1e6;
      while (!this.#over && this.tally.outstanding >= before && this.now() < patience) await this.#sleep(patience);
    }
  }

  async #awaitAnswers(): Promise<void> {
    const waitUntil = this.#lastSentAt + this.#wait * 1e6;
    while (!this.#over && this.tally.outstanding > 0 && this.now() < waitUntil) await this.#sleep(waitUntil);
    // The last answer may come twice, too.
    const longest = this.tally.latencies.max;
    const lingerUntil = this.now() + Math.min(Math.max(LINGER * 1e6, 3000 * longest), this.#wait * 1e6);
    while (!this.#over && this.tally.latencies.count > 0 && this.now() < lingerUntil) await this.#sleep(lingerUntil);
  }

  #end = (): void => {
    this.#over = true;
    this.#wake?.();
  };

  /** What a callback throws would be lost among the sockets; it ends the session instead. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#thrown ??= { error };
      this.#end();
    }
  }

  /** Waits until a time, or until something happens. */
  async #sleep(until: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const milliseconds = Math.min((until - this.now()) / 1e6, LONGEST_TIMER);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, milliseconds));
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
