/**
 * Ping mode: probes go out on schedule, whether or not answers come, and each answer is told and measured.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { describeCause, MeariError } from "../../lib/errors.ts";
import { connectStream } from "../../lib/transport/mod.ts";
import { openChannel } from "./channel.ts";
import { ProbeFormat } from "./probe.ts";
import { type PingSummary, PingTally, type Sample } from "./tally.ts";

/** A flood sends this often, in milliseconds, even where no answers come. */
const FLOOD_INTERVAL = 10;

/** How many probes may go out before answers are looked for. */
const BURST = 16;

/** How long after the last answer to look for more of it, in milliseconds, at least; or three times the longest RTT. */
const LINGER = 10;

/** How a session runs. Times are in milliseconds. */
export interface PingOptions {
  /** Between one probe and the next; 0 for as fast as answers come. */
  interval: number;
  /** As fast as answers come, and at least a hundred times a second. */
  flood: boolean;
  /** How many probes to send. */
  count: number;
  /** After how long to end in any case. */
  deadline: number;
  /** The size of a probe in bytes. */
  size: number;
  /** How long an answer is waited for. */
  wait: number;
  /** Bounds connecting. */
  timeout: number;
  /** Told of each answer. */
  onSample: (sample: Sample) => void;
  /** Told why a probe could not be sent, or a connection not made; the probe is lost. */
  onFailure: (sequence: number, cause: string) => void;
  /** Told the server's address once it is known. */
  onStart: (peer: string, tally: PingTally, now: () => number) => void;
  /** Ends the session early. */
  signal: AbortSignal;
}

/** What a session came to. */
export interface PingResult {
  /** What was measured. */
  summary: PingSummary;
  /** Why it ended before it was done, where the server was the reason. */
  finding: string | undefined;
}

/** How probes travel in a session. */
interface Way {
  peer: string;
  ended: Promise<string>;
  launch: () => void;
  close: () => void;
}

/**
 * Pings a server with messages that come back.
 *
 * @param endpoint The server.
 * @param options How.
 * @returns What was measured.
 * @throws {MeariError} If the server cannot be reached.
 */
export async function runPing(endpoint: Endpoint, options: PingOptions): Promise<PingResult> {
  const format = new ProbeFormat(options.size);
  const session = new Session(options, format);
  const channel = await openChannel(endpoint, {
    format,
    timeout: options.timeout,
    onAnswer: (answer) => session.tell(session.tally.answer(answer, session.now())),
  });
  return await session.run({
    peer: channel.peer,
    ended: channel.ended,
    launch: () => {
      const probe = format.make(session.tally.sent + 1);
      // As little as possible is between reading the clock and the system call.
      const sentAt = session.now();
      format.stamp(probe, sentAt);
      const sending = channel.send(probe);
      const sequence = session.tally.send(sentAt);
      sending.catch((error) => session.fail(sequence, describeCause(error)));
    },
    close: () => channel.close(),
  });
}

/**
 * Pings a server by connecting to it, anew each time.
 *
 * @param endpoint A `tcp` or `unix` endpoint.
 * @param options How; the size is of no account.
 * @returns What was measured.
 * @throws {MeariError} If no connection at all could be made.
 */
export async function runConnectPing(endpoint: Endpoint, options: PingOptions): Promise<PingResult> {
  const session = new Session(options, new ProbeFormat(0));
  let lastFailure: unknown;
  const pending = new Set<Promise<void>>();
  const connect = async () => {
    const sequence = session.tally.send(session.now());
    try {
      const conn = await connectStream(endpoint, { timeout: options.timeout, signal: options.signal });
      session.tell(session.tally.complete(sequence, session.now()));
      conn.close();
    } catch (error) {
      if (options.signal.aborted) return;
      lastFailure = error;
      session.fail(sequence, describeCause(error instanceof MeariError ? error.cause : error));
    }
  };
  const result = await session.run({
    peer: formatEndpoint(endpoint).replace(/^\w+:\/\//, ""),
    ended: new Promise(() => {}),
    launch: () => {
      const connecting = connect().finally(() => pending.delete(connecting));
      pending.add(connecting);
    },
    close: () => {},
  });
  await Promise.all(pending);
  if (result.summary.received === 0 && lastFailure !== undefined) throw lastFailure;
  return result;
}

/** The schedule of a session: what is due, and when it is over. */
class Session {
  readonly tally: PingTally;
  #options: PingOptions;
  #startedAt = performance.now();
  #lastSentAt = 0;
  #failed = 0;
  #wake: (() => void) | undefined;

  constructor(options: PingOptions, format: ProbeFormat) {
    this.#options = options;
    this.tally = new PingTally(format, options.wait * 1e6);
  }

  /** The time in nanoseconds since the session began. */
  readonly now = (): number => (performance.now() - this.#startedAt) * 1e6;

  tell(sample: Sample): void {
    this.#options.onSample(sample);
    this.#wake?.();
  }

  fail(sequence: number, cause: string): void {
    this.#failed++;
    this.#options.onFailure(sequence, cause);
    this.#wake?.();
  }

  async run(way: Way): Promise<PingResult> {
    const options = this.#options;
    let finding: string | undefined;
    let over = false;
    const end = () => {
      over = true;
      this.#wake?.();
    };
    way.ended.then((why) => {
      if (!over) finding = why;
      end();
    });
    options.signal.addEventListener("abort", end, { once: true });
    if (options.signal.aborted) end();
    const deadline = setTimeout(end, Math.min(options.deadline, 2 ** 31 - 1));
    try {
      this.#startedAt = performance.now();
      options.onStart(way.peer, this.tally, this.now);
      await this.#sendAll(way, () => over);
      const waitUntil = this.#lastSentAt + options.wait * 1e6;
      while (!over && this.#waiting > 0 && this.now() < waitUntil) await this.#sleep(waitUntil);
      // The last answer may come twice, too.
      const lingerUntil = this.now() +
        Math.min(Math.max(LINGER * 1e6, 3000 * this.tally.latencies.max), options.wait * 1e6);
      while (!over && this.tally.latencies.count > 0 && this.now() < lingerUntil) await this.#sleep(lingerUntil);
      const settled = !over || finding !== undefined;
      const summary = this.tally.summary(this.now(), settled);
      over = true;
      return { summary, finding };
    } finally {
      clearTimeout(deadline);
      options.signal.removeEventListener("abort", end);
      way.close();
    }
  }

  /** How many probes may still be answered. */
  get #waiting(): number {
    return this.tally.outstanding - this.#failed;
  }

  async #sendAll(way: Way, isOver: () => boolean): Promise<void> {
    const { interval, flood, count, wait } = this.#options;
    const paced = interval > 0 && !flood;
    while (this.tally.sent < count && !isOver()) {
      const due = this.tally.sent * interval * 1e6;
      if (paced && this.now() < due) {
        await this.#sleep(due);
        continue;
      }
      this.#lastSentAt = this.now();
      way.launch();
      if (paced) {
        // Where many are due at once, answers are read in between: the socket's buffer holds only so many.
        if (this.tally.sent % BURST === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
        continue;
      }
      const answers = this.tally.outstanding;
      const patience = this.#lastSentAt + (flood ? Math.min(FLOOD_INTERVAL, wait) : wait) * 1e6;
      while (!isOver() && this.tally.outstanding >= answers && this.#waiting > 0 && this.now() < patience) {
        await this.#sleep(patience);
      }
    }
  }

  /** Waits until a time, or until something happens. */
  async #sleep(until: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const milliseconds = Math.min((until - this.now()) / 1e6, 2 ** 31 - 1);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, milliseconds));
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
