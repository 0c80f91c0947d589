import type { InetEndpoint } from "../../lib/endpoint.ts";
import { needs, PYTHON } from "./programs.ts";
import { Running } from "./running.ts";

/**
 * In Linux a queue for no connections holds one. It is served when the attempts that came with it can have gone unnoticed,
 * and another takes its room in the queue.
 */
const CODE = `
import select, socket, sys, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
print(listener.getsockname()[1], flush=True)
select.select([listener], [], [])
time.sleep(0.2)
connection, _ = listener.accept()
filler = socket.create_connection(listener.getsockname())
for _ in range(int(sys.argv[1])):
    data = connection.recv(65536)
    if not data: break
    connection.sendall(data)
connection.close()
sys.stdin.read()
`;

/**
 * Starts a TCP server that echoes for a single connection and takes no notice of any other.
 *
 * @param echoes How many messages it echoes before it closes that connection.
 */
export async function startSingleServer(echoes: number): Promise<Running & { endpoint: InetEndpoint }> {
  const server = new Running([needs(PYTHON), "-c", CODE, `${echoes}`]);
  const [port] = await server.stdout.until(/\d+(?=\r?\n)/);
  return Object.assign(server, { endpoint: { transport: "tcp", host: "127.0.0.1", port: Number(port) } as const });
}
