/**
 * Links over any transport, on any system.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { setImmediate } from "node:timers";
import { connectMessages, connectStream, isStream } from "../../../../lib/transport/mod.ts";
import type { Link, LoadEngine, SharedLoad } from "../link.ts";
import type { Pacer } from "../pacer.ts";
import { MessageLink } from "./message_link.ts";
import { StreamLink } from "./stream_link.ts";

/** A timer is late by up to as much, in milliseconds; from then on a load with a rate looks at the clock instead. */
const TIMER_ERROR = 2.5;

/** Opens links over any transport; the runtime says when there is something to do on them. */
export class PortableEngine implements LoadEngine {
  readonly idle = undefined;

  async open(load: SharedLoad, dueAt: (index: number) => number): Promise<Link> {
    const { plan: { endpoint, timeout }, schedule } = load;
    const bounds = { timeout, signal: schedule.over };
    return isStream(endpoint)
      ? new StreamLink(await connectStream(endpoint, bounds), load, dueAt)
      : new MessageLink(await connectMessages(endpoint, bounds), load, dueAt);
  }

  async pace(pacer: Pacer, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const next = pacer.sendDue(performance.now());
      if (next === Infinity) return;
      // A timer is not exact enough. A turn of the event loop is, and takes what has come meanwhile.
      const pause = next - performance.now() - TIMER_ERROR;
      if (pause > 0) await delay(pause, { signal: over }).catch(() => {});
      else await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  async close(): Promise<void> {}
}
