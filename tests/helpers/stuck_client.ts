import { assert } from "@std/assert";
import type { Endpoint } from "../../lib/endpoint.ts";
import { needs, PYTHON } from "./programs.ts";

/** Sends until nothing more is taken for half a second, says so, and stays until its stdin ends. */
const PROGRAM = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.settimeout(0.5)
try:
    while True: s.send(b"x" * 65536)
except socket.timeout:
    print("stuck", flush=True)
sys.stdin.read()
`;

/**
 * A client that has sent all that the server takes and reads nothing, so that the server cannot write either. It is a
 * process of its own, because Deno's `close()` does not end a pending write: one that waits for the server's would keep
 * both alive.
 */
export class StuckClient implements AsyncDisposable {
  #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Connects, and sends until it is stuck. */
  static async of(endpoint: Endpoint | undefined): Promise<StuckClient> {
    assert(endpoint !== undefined && "host" in endpoint);
    const args = ["-c", PROGRAM, endpoint.host, `${endpoint.port}`];
    const process = new Deno.Command(needs(PYTHON), { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = process.stdout.getReader();
    const said = new TextDecoder().decode((await reader.read()).value);
    reader.releaseLock();
    assert(said.startsWith("stuck"), `the client said "${said}"`);
    return new StuckClient(process);
  }

  /** Ends the client, and with it the server's pending write. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.stdout.cancel();
    await this.#process.status;
  }
}
