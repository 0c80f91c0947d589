/**
 * The orderly end: what is in flight is answered, then everything is closed.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** How often to look which conversations have gone quiet, in milliseconds. */
export const DRAIN_TICK = 25;

/**
 * After how many looks without a change a conversation counts as quiet. Two at least: on a busy machine timers can run
 * before what has arrived meanwhile is read, but not twice in a row.
 */
const QUIET_LOOKS = 2;

/** Something that is served: a session, or a socket of datagrams. */
export interface Drainable {
  /** Whether it holds something that is not wholly answered yet. */
  readonly busy: boolean;
  /** Rises with each message. Not there where what comes now was not in flight at the stop, and so keeps nobody waiting. */
  readonly messages?: number;
}

/** Knows which conversations have gone quiet, by looking at each again and again. `K` is what tells one from another. */
export class QuietWatch<K> {
  #seen = new Map<K, { messages: number | undefined; quiet: number }>();

  /**
   * Looks at a conversation.
   *
   * @param key Which.
   * @param busy Whether it holds something that is not wholly answered yet.
   * @param messages Rises with each message, where one keeps it from being quiet.
   * @returns Whether it has gone quiet.
   */
  isQuiet(key: K, busy: boolean, messages: number | undefined): boolean {
    const last = this.#seen.get(key);
    const quiet = last !== undefined && !busy && last.messages === messages ? last.quiet + 1 : 0;
    this.#seen.set(key, { messages, quiet });
    return quiet >= QUIET_LOOKS;
  }
}

/**
 * Ends what has gone quiet, until nothing is left; after the grace time, whatever is left.
 *
 * @param left What is still served.
 * @param end Ends one of it, so that it is no longer left.
 * @param grace The longest it may take, in milliseconds.
 */
export async function drain<D extends Drainable>(
  left: () => readonly D[],
  end: (served: D) => void,
  grace: number,
): Promise<void> {
  const deadline = performance.now() + grace;
  const watch = new QuietWatch<D>();
  for (let now = left(); now.length > 0; now = left()) {
    for (const served of now) {
      if (watch.isQuiet(served, served.busy, served.messages) || performance.now() >= deadline) end(served);
    }
    await delay(DRAIN_TICK);
  }
}
