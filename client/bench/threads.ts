/**
 * A load on one thread or several.
 *
 * @module
 */

import { MeariError } from "../../lib/errors.ts";
import { type EncodedLatencies, LatencyRecorder } from "../measure/latency.ts";
import type { LoadPlan } from "./schedule.ts";
import { Load, type LoadReport } from "./load.ts";

/** Time for all threads to get ready for the beginning, in milliseconds. */
const COUNTDOWN = 20;

/** What a worker is told: the load to prepare, when to begin, or to stop. */
export type ToWorker = { plan: LoadPlan } | { start: number } | "stop";

/** What a worker tells: all is connected, or why nothing is; what was measured; that it is done. */
export type FromWorker =
  | { opened: true | string }
  | { report: Omit<LoadReport, "latencies"> & { latencies: EncodedLatencies } }
  | { done: true };

/** A part of a load, here or in a worker. */
interface Part {
  open(): Promise<void>;
  run(start: number): Promise<void>;
  stop(): void;
  close(): void;
}

/** How a load runs. */
export interface LoadOptions {
  /** How many threads share the connections; with one, that is this one. */
  threads: number;
  /** Told when all is connected, with the time of the beginning, in milliseconds since 1970. */
  onStart: (start: number) => void;
  /** Told of what a thread has measured. */
  onReport: (thread: number, report: LoadReport) => void;
  /** Ends the load early. */
  signal: AbortSignal;
}

/**
 * Runs a load to its end.
 *
 * @param plan The whole load.
 * @param options How.
 * @throws {MeariError} If no connection could be made.
 */
export async function runLoad(plan: LoadPlan, options: LoadOptions): Promise<void> {
  const { threads, signal, onReport } = options;
  const bound = (thread: number) => Math.floor(plan.count * thread / threads);
  const parts = Array.from({ length: threads }, (_, thread): Part => {
    const share = { ...plan, first: plan.first + bound(thread), count: bound(thread + 1) - bound(thread) };
    const tell = (report: LoadReport) => onReport(thread, report);
    return threads === 1 ? new LocalPart(share, tell) : new WorkerPart(share, tell);
  });
  const stop = () => parts.forEach((part) => part.stop());
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const opened = await Promise.allSettled(parts.map((part) => part.open()));
    const failures = opened.filter((result) => result.status === "rejected");
    if (failures.length === threads) throw failures[0]!.reason;
    const start = performance.timeOrigin + performance.now() + COUNTDOWN;
    options.onStart(start);
    await Promise.all(parts.map((part) => part.run(start)));
  } finally {
    signal.removeEventListener("abort", stop);
    for (const part of parts) part.close();
  }
}

class LocalPart extends Load implements Part {
  close(): void {
    this.stop();
  }
}

class WorkerPart implements Part {
  #worker: Worker;
  #opened = Promise.withResolvers<void>();
  #done = Promise.withResolvers<void>();

  constructor(plan: LoadPlan, onReport: (report: LoadReport) => void) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("done" in data) this.#done.resolve();
      else if ("report" in data) {
        onReport({ ...data.report, latencies: LatencyRecorder.decode(data.report.latencies) });
      } else if (data.opened === true) this.#opened.resolve();
      else this.#opened.reject(new MeariError(data.opened));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(`a worker thread failed: ${event.message}`);
      this.#opened.reject(error);
      this.#done.reject(error);
    };
    this.#opened.promise.catch(() => {});
    this.#done.promise.catch(() => {});
    this.#tell({ plan });
  }

  open(): Promise<void> {
    return this.#opened.promise;
  }

  run(start: number): Promise<void> {
    this.#tell({ start });
    return this.#done.promise;
  }

  stop(): void {
    this.#tell("stop");
  }

  close(): void {
    this.#worker.terminate();
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
