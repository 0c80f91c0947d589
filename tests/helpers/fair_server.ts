import type { InetEndpoint } from "../../lib/endpoint.ts";
import { needs, PYTHON } from "./programs.ts";
import { Running } from "./running.ts";

/** Takes from each connection that is ready in turn, and counts how often. */
const CODE = `
import json, select, socket, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
print(listener.getsockname()[1], flush=True)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)
epoll.register(sys.stdin, select.EPOLLIN | select.EPOLLHUP)
connections, echoes = {}, {}
serving = True
while serving:
    for fd, _ in epoll.poll():
        if fd == listener.fileno():
            connection, _ = listener.accept()
            connections[connection.fileno()] = connection
            echoes[connection.fileno()] = 0
            epoll.register(connection, select.EPOLLIN)
        elif fd == sys.stdin.fileno():
            serving = False
        else:
            data = connections[fd].recv(65536)
            if data:
                connections[fd].send(data)
                echoes[fd] += 1
            else:
                epoll.unregister(fd)
                connections[fd].shutdown(socket.SHUT_WR)
print(json.dumps(sorted(echoes.values())), flush=True)
`;

/** A TCP server in Python that is fair to all connections, and a process of its own. */
export interface FairServer extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoint: InetEndpoint;
  /** Ends it; returns how many echoes each connection got, the fewest first. */
  count(): Promise<number[]>;
}

/** Starts a server that is fair. */
export async function startFairServer(): Promise<FairServer> {
  const server = new Running([needs(PYTHON), "-c", CODE]);
  const port = Number((await server.stdout.until(/\d+\n/))[0]);
  return {
    endpoint: { transport: "tcp", host: "127.0.0.1", port },
    async count() {
      await server.endInput();
      const [counts] = await server.stdout.until(/\[.*\]/);
      return JSON.parse(counts);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
