import { assert, assertEquals, assertRejects } from "@std/assert";
import { addressesOf, connectToFirst } from "../../../lib/transport/host.ts";
import { bounded } from "../../helpers/bounded.ts";
import { systemError } from "../../helpers/errors.ts";
import { needs, PYTHON } from "../../helpers/programs.ts";
import { Running } from "../../helpers/running.ts";

const forever = new AbortController().signal;

/** A listener whose queue is full: the kernel answers none of the packets that ask for a connection. */
const BLACK_HOLE = `
import socket, sys
s = socket.socket()
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(0)
waiting = []
while True:
    c = socket.socket()
    c.settimeout(0.3)
    try: c.connect(s.getsockname())
    except socket.timeout: break
    waiting.append(c)
print("full", flush=True)
sys.stdin.read()
`;

bounded("connectToFirst() goes on to the next address when the first one is silent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using hole = new Running([needs(PYTHON), "-c", BLACK_HOLE, "127.0.0.2", `${port}`]);
  await hole.stdout.until("full");
  const connect = (hostname: string, signal: AbortSignal) => Deno.connect({ hostname, port, signal });
  const signal = AbortSignal.timeout(20_000);
  const conn = await connectToFirst(["127.0.0.2", "127.0.0.1"], 50, signal, connect);
  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");
  conn.close();
  (await listener.accept()).close();
}, { ignore: Deno.build.os !== "linux" });

bounded("connectToFirst() goes on at once when an address refuses", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const connect = (hostname: string, signal: AbortSignal) => Deno.connect({ hostname, port, signal });
  // Nobody listens at 127.0.0.2, and its share would be longer than the test.
  const conn = await connectToFirst(["127.0.0.2", "127.0.0.1"], 60_000, forever, connect);
  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");
  conn.close();
  (await listener.accept()).close();
}, { ignore: Deno.build.os !== "linux" });

/** An attempt that a test answers by hand. */
class Attempts {
  readonly all: { address: string; signal: AbortSignal; resolve: (conn: { close(): void }) => void }[] = [];
  closed: string[] = [];

  readonly connect = (address: string, signal: AbortSignal): Promise<{ close(): void }> => {
    const { promise, resolve, reject } = Promise.withResolvers<{ close(): void }>();
    this.all.push({ address, signal, resolve });
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  };

  conn(address: string): { close(): void } {
    return { close: () => this.closed.push(address) };
  }
}

bounded("connectToFirst() ends the other attempts when one succeeds", async () => {
  const attempts = new Attempts();
  const first = connectToFirst(["a", "b", "c"], 10, forever, attempts.connect);
  while (attempts.all.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  const [a, b] = attempts.all;
  // Both are through in the same moment.
  const winner = attempts.conn("a");
  a!.resolve(winner);
  b!.resolve(attempts.conn("b"));
  assertEquals(await first, winner);
  assertEquals([attempts.closed, attempts.all.every(({ signal }) => signal.aborted)], [["b"], true]);
});

bounded("connectToFirst() tries each of them in its turn when none answers", async () => {
  const attempts = new Attempts();
  const signal = AbortSignal.timeout(100);
  const attempt = connectToFirst(["a", "b", "c"], 10, signal, attempts.connect);
  assertEquals((await assertRejects(() => attempt, DOMException)).name, "TimeoutError");
  assertEquals(attempts.all.map(({ address }) => address), ["a", "b", "c"]);
});

bounded("connectToFirst() ends with the caller's reason when its signal is aborted", async () => {
  const attempts = new Attempts();
  const caller = new AbortController();
  const attempt = connectToFirst(["a", "b"], 60_000, caller.signal, attempts.connect);
  caller.abort(new Error("changed my mind"));
  assertEquals((await assertRejects(() => attempt, Error)).message, "changed my mind");
  assertEquals(attempts.all.length, 1);
});

bounded("connectToFirst() fails as the last attempt does when all fail", async () => {
  const codes = ["ENETUNREACH", "ECONNREFUSED"];
  const connect = (address: string) => Promise.reject<{ close(): void }>(systemError(address));
  const error = await assertRejects(() => connectToFirst(codes, 60_000, forever, connect), Error);
  assertEquals(error.message, "ECONNREFUSED happened");
});

bounded("addressesOf() finds addresses when the host is a name, and takes an address for itself", async () => {
  const found = await addressesOf("localhost", forever);
  assert(found.length > 0 && found.every((address) => ["127.0.0.1", "::1"].includes(address)));
  assertEquals(await addressesOf("192.0.2.1", forever), ["192.0.2.1"]);
  assertEquals(await addressesOf("fe80::1%eth0", forever), ["fe80::1%eth0"]);
});

bounded("addressesOf() ends with the signal's reason when it is aborted, whatever the host", async () => {
  for (const host of ["localhost", "127.0.0.1"]) {
    const signal = AbortSignal.abort(new Error("changed my mind"));
    assertEquals((await assertRejects(() => addressesOf(host, signal), Error)).message, "changed my mind");
  }
});
