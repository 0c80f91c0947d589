/**
 * The main file of a worker, which serves sockets with the calls of the system.
 *
 * @module
 */

import { describeCause } from "../../lib/errors.ts";
import { openLibc } from "../../lib/native/libc.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { WorkerLoop } from "./worker_loop.ts";

/** What this file uses of a worker's global scope, for which the type checker has no library here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker): void;
  close(): void;
};

/** What has come and was not taken yet, and who waits for it. */
const messages: ToWorker[] = [];
let come = Promise.withResolvers<void>();

scope.onmessage = ({ data }) => {
  messages.push(data);
  come.resolve();
};

async function next(): Promise<ToWorker> {
  while (messages.length === 0) {
    come = Promise.withResolvers<void>();
    await come.promise;
  }
  return messages.shift()!;
}

async function main(): Promise<void> {
  const first = await next();
  const libc = openLibc();
  if (typeof first !== "object" || !("plan" in first) || libc === undefined) throw new Error("a worker has no plan");
  try {
    using loop = new WorkerLoop(first.plan, libc, (message) => scope.postMessage(message));
    // While it waits in a call it takes no messages: for each of them it is woken.
    while (!loop.over) for (let left = loop.run(); left > 0; left--) loop.take(await next());
  } finally {
    libc.close();
  }
}

main().then(
  () => scope.postMessage("stopped"),
  // Behind all that it has told before: an error that nobody catches could overtake that.
  (error) => scope.postMessage({ fault: describeCause(error) }),
).finally(() => scope.close());
