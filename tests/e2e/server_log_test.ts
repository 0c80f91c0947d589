import { assert, assertEquals } from "@std/assert";
import { parseEndpoint } from "../../lib/endpoint.ts";
import { bounded, within } from "../helpers/bounded.ts";
import { program, ROOT } from "../helpers/meari.ts";
import { assertEchoes, connect } from "../helpers/streams.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

/** A server whose stdout is read only when a test says so, as by a log collector that hangs. */
class UnreadServer implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #decoder = new TextDecoder();
  #text = "";

  constructor(args: readonly string[]) {
    const [command = "", ...rest] = program("meari-server");
    this.#child = new Deno.Command(command, { args: [...rest, ...args], cwd: ROOT, stdin: "null", stdout: "piped" })
      .spawn();
    this.#reader = this.#child.stdout.getReader();
  }

  /** Reads until there is a text, and no further. */
  async read(pattern: RegExp): Promise<string> {
    let match;
    while ((match = pattern.exec(this.#text)) === null) await this.#readMore();
    return match[0];
  }

  /** Ends it, and returns all the lines that it has written. */
  async stop(): Promise<string[]> {
    this.#child.kill("SIGTERM");
    while (await this.#readMore());
    assertEquals((await this.#child.status).code, 0);
    return this.#text.split("\n").slice(0, -1);
  }

  async #readMore(): Promise<boolean> {
    const { done, value } = await within(20_000, this.#reader.read());
    if (value) this.#text += this.#decoder.decode(value, { stream: true });
    return !done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#reader.cancel();
    await this.#child.status;
  }
}

bounded(
  "meari-server --log json writes nothing but objects, and how many were lost, when its reader is slow",
  async () => {
    await using server = new UnreadServer(["tcp://127.0.0.1:0", "-v", "--log", "json"]);
    const endpoint = parseEndpoint(await server.read(/tcp:[^"]+/));
    const message = new Uint8Array(1000).fill(0x61);
    // More than waits in the pipe, in the reader and in the server together.
    const count = 3000;
    {
      using conn = await connect(endpoint);
      for (let i = 0; i < count; i++) await assertEchoes(conn, message);
    }
    const events = (await server.stop()).map((line) => JSON.parse(line));
    const lost = events.filter(({ event }) => event === "lost");
    assert(lost.length > 0 && lost.every(({ time, lines }) => Date.parse(time) > 0 && lines > 0), `${lost.length}`);
    const others = ["listening", "connected", "disconnected", "stopping", "stopped"].length;
    assertEquals(events.length - lost.length + lost.reduce((sum, { lines }) => sum + lines, 0), count + others);
  },
  unixOnly,
);
