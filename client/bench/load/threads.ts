/**
 * A load on one thread or several.
 *
 * @module
 */

import { errorCode, MeariError } from "../../../lib/errors.ts";
import { EndpointError, type EndpointOperation } from "../../../lib/transport/mod.ts";
import { waitAtMost } from "../../../lib/wait_at_most.ts";
import { type EncodedLatencies, LatencyRecorder } from "../../measure/latency.ts";
import { Load, type LoadReport } from "./load.ts";
import type { LoadPlan } from "./plan.ts";

/** The longest to wait for a worker to close its sockets, in milliseconds. */
const CLOSING = 1000;

/** Time for all threads to get ready for the beginning, in milliseconds. */
const COUNTDOWN = 20;

/** What a worker is told: the load to prepare, when to begin, to stop, or to let go of its connections. */
export type ToWorker = { plan: LoadPlan } | { start: number } | "stop" | "close";

/** What a worker does that takes a while. */
export type WorkerStep = "open" | "run" | "close";

/** Why a load could not be, as plain data: an {@linkcode EndpointError}, or any other error. */
export interface Failure {
  /** What the error says. */
  message: string;
  /** What was tried at the endpoint, and the operating system's error. */
  refusal?: { operation: EndpointOperation; name: string; message: string; code: string | undefined };
}

/** What a worker tells: what was measured, that a step is done, or why that failed. */
export type FromWorker =
  | { report: Omit<LoadReport, "latencies"> & { latencies: EncodedLatencies } }
  | { done: WorkerStep; failure?: Failure };

/** A thread that carries a part of a load. */
interface LoadThread {
  open(): Promise<void>;
  run(start: number): Promise<void>;
  stop(): void;
  close(): Promise<void>;
}

/** How a load runs. */
export interface RunOptions {
  /** How many threads share the connections; with one, that is this one, unless the links are native. */
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
 * @throws {MeariError} If no connection could be made, or nothing be sent on any.
 * @throws What a callback throws; it ends the load.
 */
export async function runLoad(plan: LoadPlan, options: RunOptions): Promise<void> {
  const { threads: number, signal } = options;
  let thrown: { error: unknown } | undefined;
  const stop = () => threads.forEach((thread) => thread.stop());
  const share = (thread: number) => Math.floor(plan.count * thread / number);
  const threads = Array.from({ length: number }, (_, thread): LoadThread => {
    const part = { ...plan, first: plan.first + share(thread), count: share(thread + 1) - share(thread) };
    const tell = (report: LoadReport) => {
      try {
        if (!thrown) options.onReport(thread, report);
      } catch (error) {
        thrown = { error };
        stop();
      }
    };
    return number === 1 && !plan.native ? new Load(part, tell) : new WorkerThread(part, tell);
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    await unlessAllFail(threads.map((thread) => thread.open()));
    if (signal.aborted) return;
    const start = performance.timeOrigin + performance.now() + COUNTDOWN;
    options.onStart(start);
    await unlessAllFail(threads.map((thread) => thread.run(start)));
    if (thrown) throw thrown.error;
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

/** Waits for a step of all threads. One whose connections all fail has told so in its report; a fault of ours is thrown. */
async function unlessAllFail(steps: Promise<void>[]): Promise<void> {
  const failures: MeariError[] = [];
  await Promise.all(steps.map((step) =>
    step.catch((error) => {
      if (!(error instanceof MeariError)) throw error;
      failures.push(error);
    })
  ));
  if (failures.length === steps.length) throw failures[0];
}

class WorkerThread implements LoadThread {
  #plan: LoadPlan;
  #worker: Worker;
  #steps = {
    open: Promise.withResolvers<void>(),
    run: Promise.withResolvers<void>(),
    close: Promise.withResolvers<void>(),
  };

  constructor(plan: LoadPlan, onReport: (report: LoadReport) => void) {
    this.#plan = plan;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("report" in data) onReport({ ...data.report, latencies: LatencyRecorder.decode(data.report.latencies) });
      else if (data.failure) this.#steps[data.done].reject(this.#errorOf(data.failure));
      else this.#steps[data.done].resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const step of Object.values(this.#steps)) step.reject(new Error(`a worker thread failed: ${event.message}`));
    };
    // Where a step fails, nobody may wait for the next one.
    for (const { promise } of Object.values(this.#steps)) promise.catch(() => {});
    this.#tell({ plan });
  }

  open(): Promise<void> {
    return this.#steps.open.promise;
  }

  run(start: number): Promise<void> {
    this.#tell({ start });
    return this.#steps.run.promise;
  }

  stop(): void {
    this.#tell("stop");
  }

  async close(): Promise<void> {
    // Native sockets are not closed by the end of their thread.
    this.#tell("close");
    await waitAtMost(CLOSING, this.#steps.close.promise).catch(() => {});
    this.#worker.terminate();
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #errorOf({ message, refusal }: Failure): MeariError {
    if (refusal === undefined) return new MeariError(message);
    const cause = Object.assign(new Error(refusal.message), { name: refusal.name, code: refusal.code });
    return new EndpointError(refusal.operation, this.#plan.endpoint, cause, this.#plan.timeout);
  }
}

/**
 * Makes plain data of an error, which loses its class and its code on the way to another thread.
 *
 * @param error The error.
 * @returns The data.
 * @throws The error itself, if it is a fault of ours.
 */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof MeariError)) throw error;
  if (!(error instanceof EndpointError) || !(error.cause instanceof Error)) return { message: error.message };
  const { name, message } = error.cause;
  return {
    message: error.message,
    refusal: { operation: error.operation, name, message, code: errorCode(error.cause) },
  };
}
