/**
 * A server under measurement, from its start to its end.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { MeariError } from "../../lib/errors.ts";
import type { Server } from "./servers.ts";

/** How long a server may take to listen, in milliseconds. */
const START_TIMEOUT = 10_000;

/** As much of what a server says as is looked at for its ports, in characters. */
const MOST_SAID = 10_000;

/** An echo server that runs. */
export class RunningServer implements AsyncDisposable {
  /** The number of its process. */
  readonly pid: number;
  /** Its port of TCP. */
  readonly tcp: number;
  /** Its port of UDP; `undefined` where it does not serve that. */
  readonly udp: number | undefined;
  #stop: () => Promise<void>;

  private constructor(pid: number, ports: readonly (string | undefined)[], stop: () => Promise<void>) {
    this.pid = pid;
    this.tcp = Number(ports[0]);
    this.udp = ports[1] === undefined ? undefined : Number(ports[1]);
    this.#stop = stop;
  }

  /**
   * Starts a server and waits until it listens.
   *
   * @param server Which.
   * @param signal Ends the wait.
   * @returns The server.
   * @throws {MeariError} If it does not listen.
   */
  static async start(server: Server, signal: AbortSignal): Promise<RunningServer> {
    const [program = "", ...args] = await server.command();
    signal.throwIfAborted();
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
    const readers = [child.stdout, child.stderr].map((stream) =>
      stream.pipeThrough(new TextDecoderStream()).getReader()
    );
    const stop = async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await child.status;
      // A process of a connection may still hold them open.
      await Promise.all(readers.map((reader) => reader.cancel()));
    };
    let said = "";
    const found = Promise.withResolvers<RegExpExecArray>();
    // All that it says is read, to its end: it must not wait for us.
    const ended = Promise.all(readers.map(async (reader) => {
      for (let read; !(read = await reader.read()).done;) {
        said = (said + read.value).slice(-MOST_SAID);
        const ports = server.ports.exec(said);
        if (ports !== null) found.resolve(ports);
      }
    }));
    try {
      const started = Promise.race([found.promise, ended.then(() => undefined)]);
      const ports = await abortable(started, AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT)]));
      if (ports) return new RunningServer(child.pid, ports.slice(1), stop);
    } catch {
      // Nothing but a signal ends the wait.
    }
    await stop();
    signal.throwIfAborted();
    const why = said.trimEnd().split("\n").at(-1);
    throw new MeariError(`${server.name} does not start${why ? `: ${why}` : ""}`);
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
