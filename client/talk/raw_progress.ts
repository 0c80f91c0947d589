/**
 * The progress of a long transfer, on stderr.
 *
 * @module
 */

import { formatSize } from "../../lib/units.ts";

/** How long a transfer takes before its progress is worth a line, in milliseconds. */
const QUIET_START = 1000;

/**
 * Makes a display of how much went out and came back.
 *
 * @param write Writes to the terminal.
 * @returns `show` draws the line anew, `end` removes it.
 */
export function rawProgress(
  write: (text: string) => void,
): { show: (sent: number, received: number) => void; end: () => void } {
  const startedAt = performance.now();
  let drawn = false;
  return {
    show(sent, received) {
      const elapsed = performance.now() - startedAt;
      if (elapsed < QUIET_START) return;
      drawn = true;
      const rate = formatSize(Math.round(received / elapsed * 1000));
      write(`\r\x1b[K${formatSize(sent)} sent, ${formatSize(received)} back, ${rate}/s`);
    },
    end() {
      if (drawn) write("\r\x1b[K");
    },
  };
}
