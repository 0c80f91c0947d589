import { assertEquals, assertRejects } from "@std/assert";
import type { Echo, EchoPeer } from "../../../client/talk/peer.ts";
import { runScript } from "../../../client/talk/script.ts";
import { EchoError, MeariError } from "../../../lib/errors.ts";
import { readLines } from "../../../client/talk/lines.ts";
import { bounded } from "../../helpers/bounded.ts";
import { ChunkSource } from "../../helpers/chunk_source.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A peer that answers each message as a test says, and notes what is done. */
class ScriptedPeer implements EchoPeer {
  readonly ended = new Promise<undefined>(() => {});
  readonly calls: string[] = [];
  surplus = 0;
  #answer: (message: Uint8Array, peer: ScriptedPeer) => Echo;

  constructor(answer: (message: Uint8Array, peer: ScriptedPeer) => Echo = (message) => ({ bytes: message })) {
    this.#answer = answer;
  }

  exchange(message: Uint8Array): Promise<Echo> {
    this.calls.push(decode(message));
    return Promise.resolve(this.#answer(message, this));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.calls.push("(end)");
    return Promise.resolve();
  }
}

/** Runs a script; returns what it printed, also where it fails. */
async function run(peer: EchoPeer, lines: string[], options: { eol?: string; quit?: boolean } = {}) {
  let printed = "";
  const error = await runScript(peer, lines.map(encode), {
    unit: "line",
    eol: encode(options.eol ?? ""),
    quit: options.quit ?? true,
    write: (line) => printed += decode(line),
  }).then(() => undefined, (error: unknown) => error);
  if (error !== undefined && !(error instanceof MeariError)) throw error;
  return { printed, error: error?.message, code: error?.exitCode ?? 0 };
}

bounded("runScript() sends each message and prints its echo as one line, then ends the conversation", async () => {
  const peer = new ScriptedPeer();
  assertEquals(await run(peer, ["one", "", "메아리"]), { printed: "one\n\n메아리\n", error: undefined, code: 0 });
  assertEquals(peer.calls, ["one", "", "메아리", "(end)"]);
});

bounded("runScript() adds the line end to what it sends, and prints one line still", async () => {
  const peer = new ScriptedPeer();
  assertEquals((await run(peer, ["one", "two"], { eol: "\r\n" })).printed, "one\ntwo\n");
  assertEquals(peer.calls, ["one\r\n", "two\r\n", "(end)"]);
});

bounded("runScript() ends at quit once its echo has come, whatever the line end", async () => {
  for (const eol of ["", "\n", "\r\n"]) {
    const peer = new ScriptedPeer();
    assertEquals((await run(peer, ["one", "quit", "two"], { eol })).printed, "one\nquit\n");
    assertEquals(peer.calls, [`one${eol}`, `quit${eol}`, "(end)"]);
  }
});

bounded("runScript() takes quit for a message like any other when told to", async () => {
  assertEquals((await run(new ScriptedPeer(), ["quit", "two"], { quit: false })).printed, "quit\ntwo\n");
});

const wrong: [name: string, answer: (message: Uint8Array, peer: ScriptedPeer) => Echo, error: string][] = [
  [
    "an echo is missing",
    () => ({ bytes: encode(""), missing: "no echo within 5s" }),
    "line 2: no echo within 5s",
  ],
  [
    "an echo is cut short",
    (message) => ({ bytes: message.subarray(0, 2), missing: "the server closed the connection" }),
    "line 2: the server closed the connection after 2 of 3 bytes",
  ],
  [
    "an echo is cut short and wrong",
    () => ({ bytes: encode("to"), missing: "no echo within 5s" }),
    'line 2: the echo differs at byte 2: sent "two", got "to"',
  ],
  [
    "a byte differs",
    (message) => ({ bytes: message.with(1, 0x1b) }),
    'line 2: the echo differs at byte 2: sent "two", got "t\\x1bo"',
  ],
  [
    "a datagram is longer",
    (message) => ({ bytes: encode(`${decode(message)}!`) }),
    'line 2: the echo differs at byte 4: sent "two", got "two!"',
  ],
  [
    "a datagram is shorter",
    (message) => ({ bytes: message.subarray(0, 1) }),
    'line 2: the echo differs at byte 2: sent "two", got "t"',
  ],
];

for (const [when, answer, error] of wrong) {
  bounded(`runScript() stops and says which line when ${when}`, async () => {
    const peer = new ScriptedPeer((message, peer) =>
      decode(message) === "two" ? answer(message, peer) : { bytes: message }
    );
    assertEquals(await run(peer, ["one", "two", "three"]), { printed: "one\n", error, code: 3 });
    assertEquals(peer.calls, ["one", "two"]);
  });
}

bounded("runScript() quotes only what is near the difference when a message is long", async () => {
  const peer = new ScriptedPeer((message) => ({ bytes: message.with(500, 0x2a) }));
  const { error } = await run(peer, ["x".repeat(1000)]);
  const near = "x".repeat(20);
  const quoted = `sent …"${near}${near}"…, got …"${near}*${near.slice(1)}"…`;
  assertEquals(error, `line 1: the echo differs at byte 501: ${quoted}`);
});

bounded("runScript() prints long lines whole, each with its line end", async () => {
  const lines = ["x".repeat(200_000), "y", "z".repeat(64 * 1024)];
  for (const eol of ["", "\r\n"]) {
    assertEquals((await run(new ScriptedPeer(), lines, { eol })).printed, lines.map((line) => `${line}\n`).join(""));
  }
});

bounded("runScript() ends at once when its signal says so, and sends nothing that comes later", async () => {
  const peer = new ScriptedPeer();
  const source = new ChunkSource([encode("one\n")]);
  source.open = true;
  const abort = new AbortController();
  const running = runScript(peer, readLines(source), {
    unit: "line",
    eol: encode(""),
    quit: true,
    // It waits for the next line when it is told.
    write: () => setTimeout(() => abort.abort(new Error("stop"))),
    signal: abort.signal,
  });
  await assertRejects(() => running, Error, "stop");
  source.push(encode("two\n"));
  source.end();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(peer.calls, ["one"]);
});

bounded("runScript() fails when the server sends more than it received", async () => {
  const peer = new ScriptedPeer((message, peer) => {
    peer.surplus = 3;
    return { bytes: message };
  });
  assertEquals(await run(peer, ["one", "two"]), {
    printed: "one\n",
    error: "line 1: the server sent more than it received",
    code: 3,
  });
});

bounded("runScript() fails when the server sends more after the last message", async () => {
  const peer = new ScriptedPeer();
  peer[Symbol.asyncDispose] = () => {
    peer.surplus = 1;
    return Promise.resolve();
  };
  assertEquals((await run(peer, ["one"])).error, "after line 1: the server sent more than it received");
});

bounded("runScript() sends nothing more when its output fails", async () => {
  const peer = new ScriptedPeer();
  const full = new MeariError("cannot write to stdout: no space left on the device");
  const running = runScript(peer, ["one", "two"].map(encode), {
    unit: "line",
    eol: encode(""),
    quit: true,
    write: () => {
      throw full;
    },
  });
  assertEquals(await assertRejects(() => running, MeariError), full);
  assertEquals([peer.calls, full instanceof EchoError], [["one"], false]);
});
