/**
 * Runs a ping session in a thread of its own.
 *
 * @module
 */

import type { Endpoint } from "../../../lib/endpoint.ts";
import { describeCause, EchoError, type MeariError } from "../../../lib/errors.ts";
import type { InetSocketType } from "../../../lib/native/inet_socket.ts";
import { type Libc, openLibc, systemError } from "../../../lib/native/libc.ts";
import { Wakeup } from "../../../lib/native/wakeup.ts";
import {
  type Bounds,
  connectNatively,
  EndpointError,
  formatAddress,
  isStream,
  type NativeClient,
} from "../../../lib/transport/mod.ts";
import type { ProbeFormat } from "../probe.ts";
import type { Pace } from "../schedule.ts";
import type { Engine, Session } from "../session.ts";
import { replay } from "./event_log.ts";
import type { Ending, FromThread, Order, ToThread } from "./messages.ts";

/** The main file of the thread. */
export const WORKER: URL = new URL("./worker.ts", import.meta.url);

/** How a session is opened. */
export interface NativeEngineOptions extends Bounds {
  /** The session's probes. */
  format: ProbeFormat;
  /** Whom to tell. */
  session: Session;
}

/**
 * Connects to a server, and starts the thread.
 *
 * @param endpoint A server that can be talked to natively.
 * @param options How.
 * @returns What runs the session.
 * @throws {MeariError} If the server cannot be reached.
 * @throws The reason of the signal where that ends it.
 */
export async function openNativeEngine(endpoint: Endpoint, options: NativeEngineOptions): Promise<Engine> {
  const libc = openLibc();
  if (libc === undefined) throw new Error("no native sockets");
  // It loads while the connection is made.
  const thread = new PingThread(isStream(endpoint) ? "stream" : "datagram");
  let client: NativeClient | undefined;
  try {
    client = await connectNatively(endpoint, options);
    await thread.ready;
    return new NativeEngine(libc, endpoint, client, thread, options);
  } catch (error) {
    thread.close();
    client?.close();
    libc.close();
    throw error;
  }
}

class NativeEngine implements Engine {
  readonly peer: string;
  readonly ended: Promise<MeariError>;
  #libc: Libc;
  #endpoint: Endpoint;
  #client: NativeClient;
  #thread: PingThread;
  #options: NativeEngineOptions;
  #wakeup: Wakeup;
  #end: (failure: MeariError) => void;
  #stopped = false;

  constructor(
    libc: Libc,
    endpoint: Endpoint,
    client: NativeClient,
    thread: PingThread,
    options: NativeEngineOptions,
  ) {
    this.#libc = libc;
    this.#endpoint = endpoint;
    this.#client = client;
    this.#thread = thread;
    this.#options = options;
    this.#wakeup = new Wakeup(libc);
    this.peer = formatAddress(client.remoteAddr);
    const { promise, resolve } = Promise.withResolvers<MeariError>();
    this.ended = promise;
    this.#end = resolve;
  }

  async run(pace: Pace): Promise<void> {
    if (this.#stopped) return;
    const { format: { size, id }, session } = this.#options;
    const { fd, sockaddr } = this.#client;
    const ending = await this.#thread.run(
      { fd, ...(sockaddr && { sockaddr }), wakeup: this.#wakeup.fd, size, id, pace },
      {
        sent: (at) => void session.tally.send(at),
        answered: (answer, at, wakeup) => session.tell(session.tally.answer(answer, at, wakeup)),
        failed: (sequence, errno) => session.fail(sequence, describeCause(systemError("send", errno))),
      },
    );
    if (ending === undefined) return;
    this.#end(
      "why" in ending
        ? new EchoError(ending.why)
        : new EndpointError("send to", this.#endpoint, systemError("send", ending.errno)),
    );
    // Whoever waits for it is told before this is done.
    await this.ended;
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeup.wake();
  }

  close(): void {
    this.#thread.close();
    this.#client.close();
    this.#wakeup[Symbol.dispose]();
    this.#libc.close();
  }
}

/** The thread. */
class PingThread {
  /** Resolves when it can take an order. */
  readonly ready: Promise<void>;
  #worker = new Worker(WORKER, { type: "module" });
  #failed: Promise<never>;

  constructor(type: InetSocketType) {
    const ready = Promise.withResolvers<void>(), failed = Promise.withResolvers<never>();
    this.#worker.postMessage(type satisfies ToThread);
    this.#worker.onmessage = () => ready.resolve();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      failed.reject(new Error(`a worker thread failed: ${event.message}`));
    };
    failed.promise.catch(() => {});
    this.#failed = failed.promise;
    this.ready = Promise.race([ready.promise, failed.promise]);
    this.ready.catch(() => {});
  }

  /**
   * Runs a session.
   *
   * @param order The session.
   * @param listener Told what happens.
   * @returns Why no answer could come any more, where that was so.
   */
  async run(order: Omit<Order, "taken">, listener: Parameters<typeof replay>[1]): Promise<Ending | undefined> {
    const done = Promise.withResolvers<Ending | undefined>();
    const taken = new Int32Array(new SharedArrayBuffer(4));
    this.#worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (data === "ready") return;
      replay(data, listener);
      Atomics.add(taken, 0, 1);
      Atomics.notify(taken, 0);
      if (data.done) done.resolve(data.ending);
    };
    this.#worker.postMessage({ ...order, taken } satisfies ToThread);
    return await Promise.race([done.promise, this.#failed]);
  }

  close(): void {
    this.#worker.terminate();
  }
}
