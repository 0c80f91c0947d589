import type { InetEndpoint } from "../../lib/endpoint.ts";
import { needs, PYTHON } from "./programs.ts";
import { Running } from "./running.ts";

/** Deno ends a connection with a FIN when it closes it, so what resets one is written in Python. */
const CODE = `
import socket, struct
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.sendall(connection.recv(65536))
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
`;

/** A TCP server that echoes the first message of each connection and resets the connection at the second. */
export async function startResettingServer(): Promise<Running & { endpoint: InetEndpoint }> {
  const server = new Running([needs(PYTHON), "-c", CODE]);
  const [port] = await server.stdout.until(/\d+(?=\r?\n)/);
  return Object.assign(server, { endpoint: { transport: "tcp", host: "127.0.0.1", port: Number(port) } as const });
}
