/**
 * Probes on a stream.
 *
 * @module
 */

import { describeCause } from "../../../lib/errors.ts";
import { errnoCode, type Libc, systemError } from "../../../lib/native/libc.ts";
import { LINUX } from "../../../lib/native/linux.ts";
import { AnswerCutter } from "../channel/answer_cutter.ts";
import { END, LARGEST_BACKLOG, LARGEST_SURPLUS, WAITING_OVERHEAD } from "../channel/ends.ts";
import type { Link, LinkSession } from "./link.ts";
import { POLL } from "./poll.ts";

/** Probes on a connected stream, TCP or Unix. */
export class StreamLink implements Link {
  #libc: Libc;
  #fd: number;
  #session: LinkSession;
  #answers: AnswerCutter;
  /** What the last read came to. */
  #length = 0;
  #errno = 0;
  #readAt = 0;
  #sentBytes = 0;
  /** The probes that are not yet sent, the first one as far as it is not. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #backlog = 0;

  /**
   * @param libc The C library, which must stay open as long as this.
   * @param fd The socket.
   * @param session Whom to tell.
   */
  constructor(libc: Libc, fd: number, session: LinkSession) {
    this.#libc = libc;
    this.#fd = fd;
    this.#session = session;
    this.#answers = new AnswerCutter(session.format, (answer) => session.answered(answer, this.#readAt, undefined));
  }

  get events(): number {
    return this.#waiting.length > 0 ? POLL.in | POLL.out : POLL.in;
  }

  send(probe: Uint8Array<ArrayBuffer>): number {
    const sent = this.#waiting.length > 0 ? 0 : this.#trySend(probe);
    this.#sentBytes += probe.length;
    if (sent === probe.length) return 0;
    this.#waiting.push(probe.subarray(sent));
    this.#backlog += probe.length - sent + WAITING_OVERHEAD;
    if (this.#backlog > LARGEST_BACKLOG) this.#session.end({ why: END.backlog });
    return 0;
  }

  read(happened: number): void {
    const { room } = this.#answers;
    this.#length = this.#libc.symbols.recv(this.#fd, room, BigInt(room.length), LINUX.MSG_DONTWAIT);
    this.#readAt = this.#session.now();
    if (this.#length < 0) this.#errno = this.#libc.errno();
    if (happened & POLL.out) this.#sendWaiting();
  }

  tell(): void {
    const length = this.#length;
    if (length < 0) {
      if (errnoCode(this.#errno) === "EAGAIN") return;
      this.#session.end({ why: describeCause(systemError("recv", this.#errno)) });
    } else if (length === 0) {
      this.#session.end({ why: END.closed });
    } else {
      this.#answers.take(length);
      if (this.#answers.received > this.#sentBytes + LARGEST_SURPLUS) this.#session.end({ why: END.surplus });
    }
  }

  #sendWaiting(): void {
    for (let probe; (probe = this.#waiting[0]) !== undefined;) {
      const sent = this.#trySend(probe);
      this.#backlog -= sent;
      if (sent < probe.length) {
        this.#waiting[0] = probe.subarray(sent);
        return;
      }
      this.#backlog -= WAITING_OVERHEAD;
      this.#waiting.shift();
    }
  }

  /** Tells how many bytes the system has taken. */
  #trySend(bytes: Uint8Array<ArrayBuffer>): number {
    const { send } = this.#libc.symbols;
    const sent = send(this.#fd, bytes, BigInt(bytes.length), LINUX.MSG_DONTWAIT | LINUX.MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    // Reading meets any end, and says why; until then these bytes count as sent.
    return errnoCode(this.#libc.errno()) === "EAGAIN" ? 0 : bytes.length;
  }
}
