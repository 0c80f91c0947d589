/**
 * A conversation in messages under load, over any transport.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { describeCause, errorCode } from "../../../../lib/errors.ts";
import { EndpointError, type MessageConn } from "../../../../lib/transport/mod.ts";
import { formatDuration } from "../../../../lib/units.ts";
import { countCause } from "../counters.ts";
import { MessageExchange } from "../exchange/message_exchange.ts";
import { CLOSED, isNobody, type Link, type LinkEnd, type SharedLoad } from "../link.ts";

/** How long to wait after a failed receive, in milliseconds. */
const PAUSE = 10;

/** A conversation in messages under load. */
export class MessageLink implements Link {
  readonly finished: Promise<LinkEnd>;
  readonly partialBytes = 0;

  #conn: MessageConn;
  #load: SharedLoad;
  #exchange: MessageExchange;
  #waiting = 0;
  #sending = false;
  #receiving: Promise<void> | undefined;
  #over = false;
  #finished = Promise.withResolvers<LinkEnd>();

  /**
   * Puts a conversation under load.
   *
   * @param conn The conversation with the server, which this closes.
   * @param load The load.
   * @param dueAt When a message of this link is due, by its index, where the load has a rate.
   */
  constructor(conn: MessageConn, load: SharedLoad, dueAt: (index: number) => number) {
    this.finished = this.#finished.promise;
    this.#conn = conn;
    this.#load = load;
    this.#exchange = new MessageExchange(load, dueAt);
  }

  get answered(): boolean {
    return this.#exchange.answered;
  }

  get begun(): number {
    return this.#exchange.begun;
  }

  start(): void {
    this.#receiving = this.#receive();
  }

  push(count: number): void {
    this.#waiting += count;
    if (!this.#sending) this.#send();
  }

  watch(now: number): void {
    const { timeout } = this.#load.plan;
    if (this.#exchange.isLossy) return this.#follow(this.#exchange.expire(now), now);
    if (this.#exchange.silence(now) > timeout) this.cut(`no answer for ${formatDuration(timeout)}`);
  }

  async end(): Promise<void> {
    this.cut();
    await this.#receiving;
  }

  cut(why?: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#finished.resolve(why);
    this.#conn.close();
  }

  abandon(how: "lost" | "unfinished"): number {
    this.#exchange.abandon(how);
    return this.#waiting;
  }

  /** Sends what waits, one message after the other. */
  async #send(): Promise<void> {
    const exchange = this.#exchange;
    this.#sending = true;
    while (this.#waiting > 0 && !this.#over) {
      this.#waiting--;
      exchange.begin(performance.now(), exchange.message, 0);
      try {
        await this.#conn.send(exchange.message);
      } catch (error) {
        // It stays in flight until it is lost, so that a socket that cannot send does not try without a pause.
        this.#fail("send", error, !this.answered);
      }
    }
    this.#sending = false;
  }

  /** Counts a failure, or ends the link where it is for good: the connection broke, or nobody is at the peer's address. */
  #fail(what: "send" | "receive", error: unknown, forGood = false): void {
    if (this.#over) return;
    if (!this.#exchange.isLossy && errorCode(error) !== "EMSGSIZE") return this.cut(describeCause(error));
    if (forGood || isNobody(error)) return this.cut(new EndpointError("send to", this.#load.plan.endpoint, error));
    countCause(this.#load.counters.counts.refused, `cannot ${what}: ${describeCause(error)}`);
  }

  /** Lets messages follow those that are in flight no more. */
  #follow(count: number, now: number): void {
    const granted = this.#exchange.follow(count, now);
    if (granted > 0) this.push(granted);
  }

  async #receive(): Promise<void> {
    // A byte more than is expected, so that a message that is too long is noticed.
    const buffer = new Uint8Array(this.#load.plan.size + 1);
    while (!this.#over) {
      try {
        const message = await this.#conn.receive(buffer);
        // What was still in flight has been counted.
        if (this.#over) return;
        if (message === null) return this.cut(CLOSED);
        const now = performance.now();
        this.#follow(this.#exchange.take(message, 0, message.length, now), now);
      } catch (error) {
        // Some systems report here that nobody listens at the peer's port.
        this.#fail("receive", error);
        if (!this.#over) await delay(PAUSE);
      }
    }
  }
}
