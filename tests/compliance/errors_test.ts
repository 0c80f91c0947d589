import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { MeariError } from "../../lib/errors.ts";
import {
  type Bounds,
  closeListening,
  connectMessages,
  connectStream,
  EndpointError,
  listen,
  type StreamConn,
} from "../../lib/transport/mod.ts";
import { python } from "../helpers/programs.ts";
import { exists } from "../helpers/temp_folder.ts";
import { bounds, deserted, type Place, places, placesOf, pythonPeer } from "./fixtures.ts";

/** Connects, whatever the kind of the transport is. */
function connect({ row }: Place, endpoint: Endpoint, how: Bounds = bounds): Promise<{ close(): void }> {
  return row.kind === "stream" ? connectStream(endpoint, how) : connectMessages(endpoint, how);
}

/** What the line of an error begins with. */
function cannot({ row }: Place, what: "listen" | "connect", endpoint: Endpoint): string {
  const operation = what === "listen" ? "listen on" : row.kind === "datagram" ? "send to" : "connect to";
  return `cannot ${operation} ${formatEndpoint(endpoint)}: `;
}

/** The line of the error that an attempt ends in, which must be one for the user. */
async function line(attempt: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => attempt, EndpointError);
  assert(error instanceof MeariError && error.exitCode === 1 && error.cause !== undefined);
  return error.message;
}

for (const place of places) {
  place.test("listen() says so and disturbs nobody when the endpoint is in use", async (folder) => {
    const first = await listen(place.endpoint(folder));
    const { endpoint } = first;
    assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}address already in use`);
    (await connect(place, endpoint)).close();
    closeListening(first);
  });

  place.test("connecting ends at once with the caller's reason when its signal is aborted already", async (folder) => {
    const listening = await listen(place.endpoint(folder));
    const signal = AbortSignal.abort(new Error("changed my mind"));
    const attempt = connect(place, listening.endpoint, { timeout: 5000, signal });
    assertEquals((await assertRejects(() => attempt, Error)).message, "changed my mind");
    closeListening(listening);
  });

  place.test("connecting is refused in words when the endpoint is of another kind", async (folder) => {
    const endpoint = place.endpoint(folder);
    const [attempt, kind] = place.row.kind === "stream"
      ? [connectMessages(endpoint, bounds), "messages"]
      : [connectStream(endpoint, bounds), "a stream"];
    const error = await assertRejects(() => attempt, MeariError);
    assertEquals(error.message, `${formatEndpoint(endpoint)} does not carry ${kind}`);
  });
}

for (const place of places.filter(({ row }) => row.form === "inet")) {
  place.test("connecting and listen() say so when there is no such host", async (folder) => {
    const endpoint = { ...place.endpoint(folder), host: "nowhere.invalid" };
    assertEquals(await line(connect(place, endpoint)), `${cannot(place, "connect", endpoint)}no such host`);
    assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}no such host`);
  });

  place.test("listen() says so when the address is not this machine's", async (folder) => {
    const endpoint = { ...place.endpoint(folder), host: "203.0.113.1" };
    const words = "this machine does not have that address";
    assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}${words}`);
  });
}

for (const place of places.filter(({ row }) => row.form === "path")) {
  const stale = async (path: string) => {
    const kind = place.row.kind === "datagram" ? "SOCK_DGRAM" : "SOCK_STREAM";
    const code = `socket.socket(socket.AF_UNIX, socket.${kind}).bind(sys.argv[1])`;
    assertEquals((await python(code, path)).stderr, "");
  };

  place.test("connecting says at once what is wrong when nobody listens at the path", async (folder) => {
    const endpoint = place.endpoint(folder) as Endpoint & { path: string };
    const says = async (words: string) =>
      assertEquals(await line(connect(place, endpoint)), `${cannot(place, "connect", endpoint)}${words}`);
    await says("no such file or directory");
    await stale(endpoint.path);
    await says("connection refused");
    Deno.removeSync(endpoint.path);
    Deno.writeTextFileSync(endpoint.path, "");
    await says("connection refused");
    const below: Endpoint = { ...endpoint, path: `${endpoint.path}/a.sock` };
    assertEquals(
      await line(connect(place, below)),
      `${cannot(place, "connect", below)}a part of the path is not a directory`,
    );
  });

  place.test("connecting says so when a socket of another kind has the path", async (folder) => {
    const { path } = place.endpoint(folder) as Endpoint & { path: string };
    const others = places.filter(({ row }) => row.form === "path" && row.kind !== place.row.kind);
    assert(others.length > 0);
    for (const other of others) {
      const listening = await listen({ transport: other.transport, path });
      const endpoint = { transport: place.transport, path };
      assertEquals(
        await line(connect(place, endpoint)),
        `${cannot(place, "connect", endpoint)}it is a socket of another kind`,
      );
      assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}address already in use`);
      closeListening(listening);
    }
  });

  place.test("connecting and listen() say how long a path may be when it is too long", async (folder) => {
    const room = (Deno.build.os === "linux" ? 107 : 103) - folder.file("").length;
    // 메 has three bytes.
    for (const [name, bytes] of [["x".repeat(room + 1), room + 1], ["메".repeat(room), 3 * room]] as const) {
      const endpoint: Endpoint = { transport: place.transport, path: folder.file(name) };
      const most = folder.file("").length + room;
      const words = `the path ${endpoint.path} is too long for a Unix socket: ` +
        `${folder.file("").length + bytes} bytes, and ${most} are the most`;
      assertEquals(await line(connect(place, endpoint)), `${cannot(place, "connect", endpoint)}${words}`);
      assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}${words}`);
    }
    const fits = await listen({ transport: place.transport, path: folder.file("x".repeat(room)) });
    (await connect(place, fits.endpoint)).close();
    closeListening(fits);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  });

  place.test("listen() says so when there is no such folder", async (folder) => {
    const endpoint: Endpoint = { transport: place.transport, path: folder.file("missing/a.sock") };
    assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}no such file or directory`);
  });

  place.test("listen() says so and leaves the file alone when a file that is no socket is in the way", async (folder) => {
    const endpoint = place.endpoint(folder) as Endpoint & { path: string };
    Deno.writeTextFileSync(endpoint.path, "keep me");
    const words = "a file that is not a socket is in the way";
    assertEquals(await line(listen(endpoint)), `${cannot(place, "listen", endpoint)}${words}`);
    assertEquals(Deno.readTextFileSync(endpoint.path), "keep me");
    assertEquals([...Deno.readDirSync(folder.path)].length, 1);
  });

  place.test("listen() takes a stale file's place and leaves nothing behind when it is closed", async (folder) => {
    const endpoint = place.endpoint(folder) as Endpoint & { path: string };
    await stale(endpoint.path);
    const listening = await listen(endpoint);
    assertEquals(exists(endpoint.path), true);
    (await connect(place, listening.endpoint)).close();
    closeListening(listening);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  });
}

for (const place of places.filter(({ row }) => row.kind !== "datagram")) {
  place.test("connecting says so when the connection is refused", async (folder) => {
    const endpoint = await deserted(place.endpoint(folder));
    const words = place.row.form === "path" ? "no such file or directory" : "connection refused";
    assertEquals(await line(connect(place, endpoint)), `${cannot(place, "connect", endpoint)}${words}`);
  });
}

for (const place of placesOf("stream")) {
  place.test("connectStream() ends in time, or by its signal, when the listener's queue is full", async (folder) => {
    const endpoint = await deserted(place.endpoint(folder));
    await using peer = pythonPeer(
      endpoint,
      `
s = socket.socket(family)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(address)
s.listen(0)
print("listening", flush=True)
sys.stdin.read(1)
s.accept()
time.sleep(60)
`,
    );
    await peer.stdout.until("listening");
    const waiting: StreamConn[] = [];
    const timedOut = `${cannot(place, "connect", endpoint)}no answer within 300ms`;
    const fill = async (): Promise<string> => {
      while (true) waiting.push(await connectStream(endpoint, { timeout: 300 }));
    };
    assertEquals(await line(fill()), timedOut);
    const caller = new AbortController();
    const attempt = connectStream(endpoint, { timeout: 20_000, signal: caller.signal });
    setTimeout(() => caller.abort(new Error("changed my mind")), 50);
    assertEquals((await assertRejects(() => attempt, Error)).message, "changed my mind");
    // A place gets free.
    const patient = connectStream(endpoint, { timeout: 20_000 });
    await peer.type("x");
    waiting.push(await patient);
    for (const conn of waiting) conn.close();
  });
}
