/**
 * What happens in a session, in the order in which it does, as plain numbers and bytes that another thread can be sent.
 *
 * @module
 */

/** How many numbers an event has: its kind, and three more. */
const STRIDE = 4;

/** The kinds of events. */
const SENT = 0, ANSWER = 1, FAILED = 2;

/** How many events there is room for at first. */
const FIRST_EVENTS = 64;

/** How many bytes there is room for at first. */
const FIRST_BYTES = 16 * 1024;

/** Events, and the bytes of the answers among them. */
export interface Events {
  /** The events. */
  events: Float64Array<ArrayBuffer>;
  /** The bytes. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Whoever is told of events. Times are in nanoseconds since the session began. */
export interface EventListener {
  /** A probe was sent. */
  sent(at: number): void;
  /** An answer was read, so long after the system had received it, where that is known. */
  answered(answer: Uint8Array, at: number, wakeup: number | undefined): void;
  /** A probe is lost, for the reason that the system's error has this number for. */
  failed(sequence: number, errno: number): void;
}

/** Takes down what happens. */
export class EventLog implements EventListener {
  #events = new Float64Array(new ArrayBuffer(FIRST_EVENTS * STRIDE * 8));
  #bytes = new Uint8Array(new ArrayBuffer(FIRST_BYTES));
  #count = 0;
  #used = 0;

  /** How many events there are. */
  get count(): number {
    return this.#count;
  }

  /** How many bytes the answers have. */
  get size(): number {
    return this.#used;
  }

  sent(at: number): void {
    this.#add(SENT, at, 0, 0);
  }

  answered(answer: Uint8Array, at: number, wakeup = NaN): void {
    const used = this.#used + answer.length;
    if (used > this.#bytes.length) this.#bytes = grown(this.#bytes, used);
    this.#bytes.set(answer, this.#used);
    this.#used = used;
    this.#add(ANSWER, at, wakeup, answer.length);
  }

  failed(sequence: number, errno: number): void {
    this.#add(FAILED, sequence, errno, 0);
  }

  /**
   * Takes all events out of the log.
   *
   * @returns A copy of them, whose buffers can be transferred.
   */
  takeAll(): Events {
    const events = this.#events.slice(0, this.#count * STRIDE), bytes = this.#bytes.slice(0, this.#used);
    this.#count = this.#used = 0;
    return { events, bytes };
  }

  #add(kind: number, a: number, b: number, c: number): void {
    const at = this.#count++ * STRIDE;
    if (at === this.#events.length) {
      const events = new Float64Array(new ArrayBuffer(2 * this.#events.byteLength));
      events.set(this.#events);
      this.#events = events;
    }
    const events = this.#events;
    events[at] = kind;
    events[at + 1] = a;
    events[at + 2] = b;
    events[at + 3] = c;
  }
}

/**
 * Tells of events in the order in which they happened.
 *
 * @param log The events.
 * @param listener Whom to tell.
 */
export function replay({ events, bytes }: Events, listener: EventListener): void {
  let used = 0;
  for (let at = 0; at < events.length; at += STRIDE) {
    const [kind, a, b, c] = events.subarray(at, at + STRIDE) as unknown as [number, number, number, number];
    if (kind === SENT) listener.sent(a);
    else if (kind === FAILED) listener.failed(a, b);
    else listener.answered(bytes.subarray(used, used += c), a, Number.isNaN(b) ? undefined : b);
  }
}

function grown(bytes: Uint8Array, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(new ArrayBuffer(Math.max(least, 2 * bytes.length)));
  larger.set(bytes);
  return larger;
}
