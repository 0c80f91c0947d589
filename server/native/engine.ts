/**
 * The native engine, as the server sees it: workers that serve sockets with the calls of the system.
 *
 * @module
 */

import { BackOff } from "../../lib/back_off.ts";
import { describeCause, MeariError } from "../../lib/errors.ts";
import { whyNotNative } from "../../lib/native/layouts.ts";
import { type Libc, openLibc } from "../../lib/native/libc.ts";
import { Wakeup } from "../../lib/native/wakeup.ts";
import { type Address, type Endpoint, isNative, type NativeListening } from "../../lib/transport/mod.ts";
import type { Engine, Subscribers } from "../events.ts";
import type { DatagramRefusal } from "../guard/datagram_guard.ts";
import type { FromWorker, ToWorker, WorkerEvent, WorkerPlan } from "./protocol.ts";
import { COUNTED, REFUSALS, type SharedCounters } from "./shared_counters.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

/** How long to wait where a worker has died before another takes its place, in milliseconds: the first time, and the most. */
const PAUSE = { first: 10, most: 1000 };

/** How many descriptors a worker and the runtime take for it, besides its sockets; where the runtime finds none it panics. */
const DESCRIPTORS = 16;

/** How the native engine serves. */
export interface NativeEngineOptions {
  /** What is served: of each endpoint a socket for each worker. They are the engine's from now on. */
  listening: readonly NativeListening[];
  /** Whether `quit` alone ends a conversation, unless an endpoint says no. */
  quit: boolean;
  /** How many workers there are. */
  workers: number;
  /** Where all sockets of datagrams of the server are bound, also those that others serve. */
  datagramAddresses: readonly Address[];
  /** What the engines of the server count together. */
  counters: SharedCounters;
  /** Whether the server ends with its first conversation. */
  once: boolean;
  /** Told of what happens. */
  subscribers: Subscribers;
  /** Told when the first conversation of a server that ends with it has begun. */
  onBegun: () => void;
  /** Told when it has ended. */
  onEnded: () => void;
  /** The main file of the workers. Default: that of the engine. */
  worker?: URL;
}

/**
 * Chooses how a server serves.
 *
 * @param engine What was asked for.
 * @param workers How many workers were asked for.
 * @param endpoints What is to be served.
 * @returns How many workers are to serve what can be served natively; with none, why not, where that was hoped for.
 * @throws {MeariError} If the native engine was asked for and cannot be had.
 */
export function chooseEngine(
  engine: Engine | "auto",
  workers: number,
  endpoints: readonly Endpoint[],
): { workers: number; why?: string } {
  const native = endpoints.filter(isNative).length;
  if (engine === "portable" || native === 0) return { workers: 0 };
  const why = whyNoEngine(workers * (DESCRIPTORS + native) + endpoints.length - native);
  if (why === undefined) return { workers };
  if (engine === "native") throw new MeariError(`cannot use native sockets: ${why}`);
  return { workers: 0, why };
}

function whyNoEngine(descriptors: number): string | undefined {
  return whyNotNative(WORKER) ?? whyTooFewDescriptors(descriptors);
}

function whyTooFewDescriptors(count: number): string | undefined {
  const libc = openLibc()!;
  const taken: Wakeup[] = [];
  try {
    while (taken.length < count) taken.push(new Wakeup(libc));
  } catch (error) {
    return describeCause(error);
  } finally {
    for (const each of taken) each[Symbol.dispose]();
    libc.close();
  }
}

/** Workers that serve sockets, from their start to their end. */
export class NativeEngine {
  /** How many workers have died and were replaced. */
  replaced = 0;
  #options: NativeEngineOptions;
  #libc: Libc;
  #workers: EngineWorker[];
  /** Aborted where nobody is to be let in any more: then nobody takes the place of a worker that dies. */
  #closing = new AbortController();
  #ended: Promise<unknown>;
  /** Resolves once the last message of the workers was counted as taken. */
  #taken: Promise<void> = Promise.resolve();

  /**
   * Starts the workers.
   *
   * @param options What they serve. The listening sockets are the engine's from now on.
   */
  constructor(options: NativeEngineOptions) {
    const libc = openLibc();
    if (libc === undefined) throw new MeariError("there are no native sockets here");
    this.#options = options;
    this.#libc = libc;
    const { subscribers, counters } = options;
    subscribers.onChange = () => counters.setRates(subscribers.rates);
    subscribers.onChange();
    this.#workers = Array.from({ length: options.workers }, (_, number) => this.#start(number));
    this.#ended = Promise.all(this.#workers.map((_, number) => this.#keepAlive(number)));
  }

  /** How many connections are open. */
  get open(): number {
    return this.#options.counters.sums[COUNTED.open]!;
  }

  /** How many connections there were. */
  get connections(): number {
    return this.#options.counters.sums[COUNTED.connections]!;
  }

  /** What was answered. */
  get answered(): { /** Messages. */ messages: number; /** Bytes. */ bytes: number } {
    const { sums } = this.#options.counters;
    return { messages: sums[COUNTED.messages]!, bytes: sums[COUNTED.bytes]! };
  }

  /** How many datagrams were not answered, by reason. */
  get refused(): ReadonlyMap<DatagramRefusal, number> {
    const counts = this.#options.counters.sums.slice(COUNTED.refused);
    return new Map(REFUSALS.map((reason, index) => [reason, counts[index]!] as const).filter(([, count]) => count > 0));
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#closing.abort();
    this.#tell("close");
  }

  /**
   * Lets nobody in any more, lets what is in flight be answered, then ends everything.
   *
   * @param grace How long that may take, in milliseconds.
   */
  async stop(grace: number): Promise<void> {
    this.#closing.abort();
    this.#tell({ drain: grace });
    await this.#ended;
    await this.#taken;
    this.#options.subscribers.onChange = undefined;
    for (const { sockets } of this.#options.listening) sockets.close();
    this.#libc.close();
  }

  /** Ends everything at once. */
  kill(): void {
    this.#tell("kill");
  }

  #tell(message: ToWorker): void {
    for (const worker of this.#workers) worker.tell(message);
  }

  #start(number: number): EngineWorker {
    const { listening, quit, workers, datagramAddresses, counters, once, worker = WORKER } = this.#options;
    return new EngineWorker(worker, this.#libc, (wakeup) => ({
      number,
      workers,
      memory: counters.memory,
      wakeup,
      endpoints: listening.map(({ endpoint, sockets: { fds, type, addr } }) => ({
        fd: fds[number]!,
        type,
        addr,
        quit: quit && endpoint.options?.["no-quit"] !== true,
      })),
      datagramAddresses: [...datagramAddresses],
      once,
    }), (message) => this.#take(number, message));
  }

  /** Waits for the end of a worker. While there is something to let in, another takes the place of one that has died. */
  async #keepAlive(number: number): Promise<void> {
    const { signal } = this.#closing;
    const backOff = new BackOff(PAUSE.first, PAUSE.most);
    while (true) {
      const fault = await this.#workers[number]!.ended;
      if (fault === undefined) return;
      this.#options.counters.restart(number);
      this.replaced++;
      this.#options.subscribers.tell({ type: "replaced", worker: number, cause: fault });
      // The runtime would panic in a thread for which it finds no descriptor.
      do {
        await backOff.wait(signal);
        if (signal.aborted) return;
      } while (whyTooFewDescriptors(DESCRIPTORS) !== undefined);
      this.#workers[number] = this.#start(number);
    }
  }

  #take(number: number, message: FromWorker): void {
    const { counters, onBegun, onEnded } = this.#options;
    if (message === "begun") onBegun();
    else if (message === "ended") onEnded();
    else if (typeof message === "object" && "events" in message) {
      for (const event of message.events) this.#tellOf(event);
      // In a turn of its own: what a log writes of it has its turn before the next ones come.
      this.#taken = new Promise((resolve) =>
        setTimeout(() => {
          counters.taken(number);
          resolve();
        })
      );
    }
  }

  #tellOf(event: WorkerEvent): void {
    const { subscribers, listening } = this.#options;
    if (event.type === "omitted") subscribers.tell(event);
    else subscribers.tell({ ...event, endpoint: listening[event.endpoint]!.endpoint });
  }
}

/** One worker, and what it is told and tells. */
class EngineWorker {
  /** Resolves at its end: with the cause where it has died. */
  readonly ended: Promise<string | undefined>;
  #worker: Worker;
  #wakeup: Wakeup | undefined;

  constructor(
    main: URL,
    libc: Libc,
    planOf: (wakeup: number) => WorkerPlan,
    onMessage: (message: FromWorker) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const wakeup = this.#wakeup = new Wakeup(libc);
    const worker = this.#worker = new Worker(main, { type: "module" });
    const end = (cause?: string) => {
      worker.terminate();
      this.#wakeup = undefined;
      wakeup[Symbol.dispose]();
      resolve(cause);
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data === "stopped") end();
      else if (typeof data === "object" && "fault" in data) end(data.fault);
      else onMessage(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(describeCause(event.error ?? new Error(event.message)));
    };
    this.ended = promise;
    worker.postMessage({ plan: planOf(wakeup.fd) } satisfies ToWorker);
  }

  tell(message: ToWorker): void {
    if (this.#wakeup === undefined) return;
    this.#worker.postMessage(message);
    this.#wakeup.wake();
  }
}
