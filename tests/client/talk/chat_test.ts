import { assertEquals, assertRejects } from "@std/assert";
import { type ChatOptions, type ChatResult, runChat } from "../../../client/talk/chat.ts";
import { formatEndpoint } from "../../../lib/endpoint.ts";
import { EndpointError } from "../../../lib/transport/mod.ts";
import { bounded } from "../../helpers/bounded.ts";
import { ScriptedDatagramServer, ScriptedServer } from "../../helpers/scripted_server.ts";
import { ScriptedTerminal } from "../../helpers/scripted_terminal.ts";
import { readBytes, readToEnd, writeAll } from "../../helpers/streams.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const options: ChatOptions = { timeout: 10_000, retries: 0, lang: "en", eol: encode(""), quit: true };

/** Chats with a server; returns how it ended and what was shown after the greeting. */
async function chat(
  server: ScriptedServer | ScriptedDatagramServer,
  terminal: ScriptedTerminal,
  about: Partial<ChatOptions> = {},
): Promise<ChatResult & { shown: string[] }> {
  const result = await runChat(server.endpoint, terminal, { ...options, ...about });
  const [started, greeting, ...shown] = terminal.shown;
  assertEquals([started, shown.pop()], server instanceof ScriptedServer ? STREAM : DATAGRAM);
  assertEquals(greeting, `> talking to ${formatEndpoint(server.endpoint)}; "quit" or Ctrl+D ends`);
  return { ...result, shown };
}

const STREAM = ["> echo client started", "> echo client stopped"];
const DATAGRAM = ["> client started", "> client stopped"];

/** A server that answers each message of so many bytes with what a test says, until it says nothing more. */
function answering(length: number, ...answers: ((message: Uint8Array) => Uint8Array)[]): ScriptedServer {
  return new ScriptedServer(async (conn) => {
    for (const answer of answers) await writeAll(conn, answer(await readBytes(conn, length)));
    await readToEnd(conn);
  });
}

const same = (message: Uint8Array) => message;
const none = () => new Uint8Array(0);

bounded("runChat() shows each echo, and ends at quit", async () => {
  await using server = answering(4, same, same, same);
  assertEquals(await chat(server, new ScriptedTerminal("four", "", "quit", "more")), {
    shown: ["> four", "> received: four", "> ", "> quit", "> received: quit"],
    mismatch: false,
    serverClosed: false,
  });
});

bounded("runChat() says what differs in an echo, and goes on", async () => {
  await using server = answering(5, (message) => message.with(0, 0x69), same);
  assertEquals(await chat(server, new ScriptedTerminal("hello", "right", "quit"), { timeout: 100 }), {
    shown: [
      "> hello",
      "> received: iello",
      '> the echo differs at byte 1: sent "hello", got "iello"',
      "> right",
      "> received: right",
      "> quit",
      "> no echo within 100ms",
    ],
    mismatch: true,
    serverClosed: false,
  });
});

bounded("runChat() ends at quit also where its echo does not come, or is wrong", async () => {
  for (const eol of ["", "\r\n"]) {
    await using server = answering(4 + eol.length, none);
    assertEquals(await chat(server, new ScriptedTerminal("quit", "more"), { timeout: 100, eol: encode(eol) }), {
      shown: ["> quit", "> no echo within 100ms"],
      mismatch: true,
      serverClosed: false,
    });
  }
  await using server = answering(4, (message) => message.with(0, 0x51));
  const { shown, mismatch } = await chat(server, new ScriptedTerminal("quit", "more"));
  const differs = '> the echo differs at byte 1: sent "quit", got "Quit"';
  assertEquals([shown, mismatch], [["> quit", "> received: Quit", differs], true]);
});

bounded("runChat() knows the late echo of an earlier message, and counts it as come", async () => {
  const held: Uint8Array[] = [];
  await using server = answering(3, (message) => {
    held.push(message);
    return none();
  }, (message) => Uint8Array.of(...held[0]!, ...message));
  await using datagrams = new ScriptedDatagramServer(async (datagram, answer) => {
    held.push(datagram.slice());
    if (datagrams.count === 1) return;
    await answer(held.at(-2)!);
    await answer(datagram);
  });
  for (const each of [server, datagrams]) {
    const terminal = new ScriptedTerminal("one", "two");
    terminal.shows("> received: two").then(() => terminal.close());
    assertEquals(await chat(each, terminal, { timeout: 200 }), {
      shown: ["> one", "> no echo within 200ms", "> two", "> received late: one", "> received: two", "> "],
      mismatch: false,
      serverClosed: false,
    });
  }
});

bounded("runChat() says what differs in a late echo", async () => {
  await using server = answering(3, none, (message) => Uint8Array.of(...encode("OnE"), ...message));
  const terminal = new ScriptedTerminal("one", "two");
  terminal.shows("> received: two").then(() => terminal.close());
  const { shown, mismatch } = await chat(server, terminal, { timeout: 200 });
  assertEquals(mismatch, true);
  assertEquals(shown.slice(2), [
    "> two",
    "> received late: OnE",
    '> the echo differs at byte 1: sent "one", got "OnE"',
    "> received: two",
    "> ",
  ]);
});

bounded("runChat() shows the part of an echo that came before it says that no more did", async () => {
  await using server = answering(5, (message) => message.subarray(0, 2));
  const terminal = new ScriptedTerminal("hello");
  terminal.shows("> only 2 of 5 bytes came back within 100ms").then(() => terminal.close());
  const { shown, mismatch } = await chat(server, terminal, { timeout: 100 });
  assertEquals(shown, ["> hello", "> received: he", "> only 2 of 5 bytes came back within 100ms", "> "]);
  assertEquals(mismatch, true);
});

bounded("runChat() shows the part of an echo that came before it says that the server closed", async () => {
  await using server = new ScriptedServer(async (conn) => {
    await writeAll(conn, (await readBytes(conn, 5)).subarray(0, 2));
  });
  assertEquals(await chat(server, new ScriptedTerminal("hello", "more")), {
    shown: ["> hello", "> received: he", "> the server closed the connection"],
    mismatch: true,
    serverClosed: true,
  });
});

bounded("runChat() says that the server closed also right after an echo, and at once at the prompt", async () => {
  await using server = new ScriptedServer(async (conn) => {
    await writeAll(conn, await readBytes(conn, 5));
  });
  const { shown, serverClosed, mismatch } = await chat(server, new ScriptedTerminal("hello"));
  assertEquals([serverClosed, mismatch], [true, false]);
  // Whether there was time for another prompt is chance.
  assertEquals(shown.filter((line) => line !== "> "), [
    "> hello",
    "> received: hello",
    "> the server closed the connection",
  ]);
});

bounded("runChat() shows what nobody asked for, in whole characters, and takes it for a mismatch", async () => {
  const bytes = encode("메아리");
  await using server = new ScriptedServer(async (conn) => {
    for (const byte of bytes) {
      await writeAll(conn, Uint8Array.of(byte));
      // Lets the byte go its way alone.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await readToEnd(conn);
  });
  const terminal = new ScriptedTerminal();
  terminal.shows("> received: 리").then(() => terminal.close());
  const { shown, mismatch } = await chat(server, terminal);
  assertEquals(shown, ["> ", "> received: 메", "> received: 아", "> received: 리"]);
  assertEquals(mismatch, true);
});

bounded("runChat() gives echoes as lines where it is told to, and the terminal all else", async () => {
  await using server = answering(7, same, (message) => message.with(0, 0x2a), none);
  let written = "";
  const terminal = new ScriptedTerminal("hello", "\x1b[2J!", "quit!");
  terminal.shows("> no echo within 100ms").then(() => terminal.close());
  const { shown } = await chat(server, terminal, {
    eol: encode("\r\n"),
    timeout: 100,
    write: (line) => written += new TextDecoder().decode(line),
  });
  assertEquals(written, "hello\n*[2J!\n");
  assertEquals(shown, [
    "> hello",
    "> \x1b[2J!",
    '> the echo differs at byte 1: sent "\\x1b[2J!\\r\\n", got "*[2J!\\r\\n"',
    "> quit!",
    "> no echo within 100ms",
    "> ",
  ]);
});

bounded("runChat() goes on when a message is too long for a datagram", async () => {
  await using server = new ScriptedDatagramServer((datagram, answer) => answer(datagram));
  const { shown, mismatch } = await chat(server, new ScriptedTerminal("x".repeat(65_508), "quit"));
  const to = formatEndpoint(server.endpoint);
  const tooLong = `> cannot send to ${to}: message too long (the message has 65508 bytes)`;
  assertEquals([shown.slice(1), mismatch], [[tooLong, "> quit", "> received: quit"], false]);
});

bounded("runChat() fails when nobody is there to send to any more, and closes the terminal", async () => {
  using folder = new TempFolder();
  const path = folder.file("s.sock");
  const server = Deno.listenDatagram({ transport: "unixpacket", path });
  const terminal = new ScriptedTerminal("hello", "more");
  const read = terminal.read.bind(terminal);
  terminal.read = async () => {
    server.close();
    return await read();
  };
  const to = { transport: "unixgram", path };
  await assertRejects(() => runChat(to, terminal, options), EndpointError, "connection refused");
  await terminal.closed;
  assertEquals(terminal.shown.slice(2), ["> hello"]);
}, { ignore: Deno.build.os === "windows" });

bounded("runChat() ends at once when its signal says so, at the prompt and while it waits", async () => {
  await using server = answering(3, none);
  for (const [lines, last] of [[[], "> "], [["one"], "> one"]] as const) {
    const abort = new AbortController();
    const terminal = new ScriptedTerminal(...lines);
    terminal.shows(last).then(() => setTimeout(() => abort.abort(), 10));
    const { mismatch, serverClosed, shown } = await chat(server, terminal, {
      timeout: 3_600_000,
      signal: abort.signal,
    });
    assertEquals([mismatch, serverClosed, shown], [false, false, [last]]);
  }
});
