/**
 * The main file of a worker thread that carries a part of a load.
 *
 * @module
 */

import { Load } from "./load.ts";
import { failureOf, type FromWorker, type ToWorker, type WorkerStep } from "./threads.ts";

/** What this file uses of a worker's global scope, for which the type checker has no library here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
};

let load: Load | undefined;

scope.onmessage = ({ data }) => {
  if (data === "stop") return load?.stop();
  if (data === "close") return tell("close", load!.close());
  if ("start" in data) return tell("run", load!.run(data.start));
  load = new Load(data.plan, (report) => {
    const latencies = report.latencies.encode();
    scope.postMessage({ report: { ...report, latencies } }, [latencies.counts.buffer]);
  });
  tell("open", load.open());
};

/** Tells how a step of the load has ended. */
function tell(done: WorkerStep, step: Promise<void>): void {
  step.then(() => scope.postMessage({ done }), (error) => scope.postMessage({ done, failure: failureOf(error) }));
}
