/**
 * Signals that a program was told to ignore when it was started.
 *
 * @module
 */

import { openLibc } from "./libc.ts";

/** Linux's number of the signal, and the handler that stands for ignoring: `asm-generic/signal.h`, `signal-defs.h`. */
const SIGHUP = 1, SIG_IGN = 1n;

/**
 * Tells whether the process ignores the end of its terminal, as nohup(1) has it done for a program that is to outlive it.
 * To be asked before the program listens for any signal, which undoes that.
 *
 * @returns Whether it does; `false` where that cannot be found out.
 */
export function ignoresHangup(): boolean {
  // A struct sigaction begins with the handler, and has 152 bytes at the most.
  const action = new BigUint64Array(32);
  const libc = openLibc();
  libc?.symbols.sigaction(SIGHUP, null, action);
  libc?.close();
  return action[0] === SIG_IGN;
}
