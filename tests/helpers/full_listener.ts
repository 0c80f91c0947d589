import type { InetEndpoint } from "../../lib/endpoint.ts";
import { needs, PYTHON } from "./programs.ts";
import { Running } from "./running.ts";

/** Listens and accepts nobody; connections fill its queue, so that whoever comes next gets no answer. */
const LISTEN = `
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
filling = []
for _ in range(4):
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(listener.getsockname())
    filling.append(filler)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;

/** A TCP port of 127.0.0.1 at which connecting takes for ever: Linux drops what a full queue has no room for. */
export interface FullListener extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoint: InetEndpoint;
  /** Waits until one more than those that fill the queue tries to connect. */
  isConnecting(): Promise<void>;
}

/** Starts a listener whose queue is full. */
export async function fullListener(): Promise<FullListener> {
  const process = new Running([needs(PYTHON), "-c", LISTEN]);
  const port = Number((await process.stdout.until(/\d+\n/))[0]);
  const before = await connecting(port);
  return {
    endpoint: { transport: "tcp", host: "127.0.0.1", port },
    async isConnecting() {
      const isNew = (socket: string) => !before.includes(socket);
      while (!(await connecting(port)).some(isNew)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/**
 * Which sockets have sent a SYN to a port of 127.0.0.1 and got no answer, as Linux tells. It may tell one of them twice,
 * where others come and go while it is read: so they are not counted.
 */
async function connecting(port: number): Promise<string[]> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = (await Deno.readTextFile("/proc/net/tcp")).split("\n").map((line) => line.trim().split(/\s+/));
  return sockets.filter(([, , address, state]) => address === remote && state === "02").map(([, local]) => local!);
}
