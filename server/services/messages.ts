/**
 * A conversation in whole messages, from its first to its last.
 *
 * @module
 */

import { LARGEST_MESSAGE, type MessageConn } from "../../lib/transport/mod.ts";
import type { Progress, Service, ServiceEnding } from "./service.ts";

/**
 * Answers each message of a conversation before it receives the next. The caller closes the connection.
 *
 * @param conn The connection.
 * @param service What to do with a message.
 * @param progress Told of each answer.
 * @returns How the conversation ended.
 * @throws The operating system's error if the connection breaks.
 */
export async function serveMessages(
  conn: MessageConn,
  service: Service,
  progress: Progress,
): Promise<ServiceEnding> {
  const buffer = new Uint8Array(LARGEST_MESSAGE);
  while (true) {
    const message = await conn.receive(buffer);
    if (message === null) return "closed";
    progress.busy = true;
    const answer = service.answer(message);
    if (answer !== undefined) await conn.send(answer);
    progress.busy = false;
    progress.answered(message);
    if (service.isLast(message)) return "quit";
  }
}
