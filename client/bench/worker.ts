/**
 * The main file of a worker thread that carries a part of a load.
 *
 * @module
 */

import { Load } from "./load.ts";
import type { FromWorker, ToWorker } from "./threads.ts";

/** What this file uses of a worker's global scope, for which the type checker has no library here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
};

let load: Load | undefined;

scope.onmessage = async ({ data }) => {
  if (data === "stop") load?.stop();
  else if ("plan" in data) {
    load = new Load(data.plan, (report) => {
      const latencies = report.latencies.encode();
      scope.postMessage({ report: { ...report, latencies } }, [latencies.counts.buffer]);
    });
    const opened = await load.open().then(() => true as const, (error: Error) => error.message);
    scope.postMessage({ opened });
  } else {
    await load?.run(data.start);
    scope.postMessage({ done: true });
  }
};
