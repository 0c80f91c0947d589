/**
 * What a load sees of a socket, whether that carries a stream or messages, and the faults that all of them can find.
 *
 * @module
 */

import { errorCode } from "../../../lib/errors.ts";
import type { EndpointError } from "../../../lib/transport/mod.ts";
import type { LoadCounters } from "./counters.ts";
import type { Pacer } from "./pacer.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** What the connections of a thread share. */
export interface SharedLoad {
  /** The load. */
  readonly plan: LoadPlan;
  /** When messages are due. */
  readonly schedule: LoadSchedule;
  /** What became of them. */
  readonly counters: LoadCounters;
  /** What to send. */
  readonly noise: Uint8Array<ArrayBuffer>;
}

/** Why a link has ended: what the server did wrong, or that nobody is there; `undefined` where this side ended it. */
export type LinkEnd = string | EndpointError | undefined;

/** A socket under load. */
export interface Link {
  /** Resolves at its end. */
  readonly finished: Promise<LinkEnd>;
  /** Whether anything has come back. */
  readonly answered: boolean;
  /** How many messages were begun to be sent. */
  readonly begun: number;
  /** How many bytes have come back of a message that counts and is not answered whole. */
  readonly partialBytes: number;
  /** Begins to exchange messages; to be called once, after the first ones were pushed. */
  start(): void;
  /**
   * Sends messages, after those that are being sent.
   *
   * @param count How many.
   * @param now The time, at which they are due if the load has no rate.
   */
  push(count: number, now: number): void;
  /**
   * Looks for answers that are overdue. To be called again and again.
   *
   * @param now The time.
   */
  watch(now: number): void;
  /** Ends it politely, in a bounded time. */
  end(): Promise<void>;
  /**
   * Ends it at once.
   *
   * @param why Why, where it is the server's fault.
   */
  cut(why?: LinkEnd): void;
  /**
   * Counts the messages that are in flight, after the end, and lets go of them.
   *
   * @param how What became of them.
   * @returns How many messages were not begun to be sent; they are still to be sent, by another.
   */
  abandon(how: "lost" | "unfinished"): number;
}

/** What opens the links of a thread, and sends what is due on them. */
export interface LoadEngine {
  /** For how long there was nothing to do, in milliseconds; `undefined` where that is not known. */
  readonly idle: number | undefined;
  /**
   * Opens a link.
   *
   * @param load The load.
   * @param dueAt When a message of the link is due, by its index, where the load has a rate.
   * @returns The link.
   * @throws {EndpointError} If it cannot be opened.
   * @throws The reason of the schedule's signal where that ends it.
   */
  open(load: SharedLoad, dueAt: (index: number) => number): Promise<Link>;
  /**
   * Begins to send what is due, as soon as it is due.
   *
   * @param pacer Knows what is.
   * @param over Ends that.
   */
  pace(pacer: Pacer, over: AbortSignal): void;
  /** Frees what it holds, once the links have ended. */
  close(): Promise<void>;
}

/** How long to wait at the end of a stream for the server to close too, in milliseconds. */
export const CLOSE_TIMEOUT = 250;

/** More came back than was sent. */
export const SURPLUS = "more came back than was sent";

/** What came back is not what was sent. */
export const MISMATCH = "other bytes came back";

/** The server ended a connection. */
export const CLOSED = "the server closed the connection";

/**
 * Tells whether an operation has failed because nobody is at the peer's address.
 *
 * @param error What it has thrown.
 * @returns Whether that is why.
 */
export function isNobody(error: unknown): boolean {
  return ["ECONNREFUSED", "ENOENT"].includes(errorCode(error) ?? "");
}
