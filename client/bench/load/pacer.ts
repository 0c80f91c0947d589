/**
 * What a load with a rate has to send, and when.
 *
 * @module
 */

import type { LoadConnection } from "./connection.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadSchedule } from "./schedule.ts";

/** How many messages may be sent before answers are looked for. */
export const MOST_AT_ONCE = 256;

/** Sends the messages of a load with a rate. The connections take turns. */
export class Pacer {
  /** The longest time that a message which counts was sent after it was due, in milliseconds. */
  behind = 0;

  #plan: LoadPlan;
  #schedule: LoadSchedule;
  #connections: readonly LoadConnection[];
  #end: number;
  #round = 0;
  #index = 0;

  /**
   * Prepares to send.
   *
   * @param plan The part of the load that this thread carries.
   * @param schedule Its schedule, which has begun.
   * @param connections Its connections.
   */
  constructor(plan: LoadPlan, schedule: LoadSchedule, connections: readonly LoadConnection[]) {
    this.#plan = plan;
    this.#schedule = schedule;
    this.#connections = connections;
    this.#end = schedule.scheduled;
  }

  /**
   * Sends what is due, or the first of it where that is much.
   *
   * @param now The time.
   * @returns When the next message is due, which may be before now; `Infinity` where there is none.
   */
  sendDue(now: number): number {
    const schedule = this.#schedule, connections = this.#connections;
    for (let sent = 0; schedule.sending; sent++) {
      const number = this.#plan.first + this.#index;
      if (this.#round * this.#plan.connections + number >= this.#end) {
        schedule.endSending(schedule.scheduledEnd);
        break;
      }
      const due = schedule.dueAt(number, this.#round);
      if (due > now || sent === MOST_AT_ONCE) return due;
      if (due >= schedule.measureFrom) this.behind = Math.max(this.behind, now - due);
      connections[this.#index]!.fallDue(due);
      if (++this.#index === connections.length) {
        this.#index = 0;
        this.#round++;
      }
    }
    return Infinity;
  }
}
