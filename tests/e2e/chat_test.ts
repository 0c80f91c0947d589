import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort } from "../helpers/free_port.ts";
import { fullListener } from "../helpers/full_listener.ts";
import { assertNoStackTrace, program, startMeariServer } from "../helpers/meari.ts";
import { needs, python } from "../helpers/programs.ts";
import { ScriptedDatagramServer, ScriptedServer } from "../helpers/scripted_server.ts";
import { readBytes, readToEnd } from "../helpers/streams.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { KEYS, Terminal, type TerminalOptions } from "../helpers/terminal.ts";
import { formatEndpoint } from "../../lib/endpoint.ts";

/** Windows has no terminals that a test can hold in its hands. */
const about = { ignore: Deno.build.os === "windows" };

/** A chat that has come to its first prompt, and its server. */
async function chat(transport = "tcp", options: TerminalOptions = {}) {
  const { server, endpoints } = await startMeariServer([`${transport}://127.0.0.1:0`]);
  const terminal = new Terminal("meari", [endpoints[0]!], options);
  await terminal.shows(`talking to ${endpoints[0]}`);
  await terminal.prompts();
  return {
    server,
    terminal,
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (const transport of ["tcp", "udp"]) {
  bounded(`meari converses in a terminal until quit over ${transport}`, async () => {
    await using talk = await chat(transport);
    const { terminal } = talk;
    for (const text of ["hello", "메아리가 돌아온다"]) {
      await terminal.type(text);
      await terminal.shows(text);
      await terminal.type(KEYS.enter);
      await terminal.shows(`> received: ${text}\r\n`);
      await terminal.prompts();
    }
    await terminal.type(`quit${KEYS.enter}`);
    await terminal.shows("> received: quit\r\n");
    await terminal.shows(/client stopped\r\n$/);
    await terminal.ends(0);
    assertStringIncludes(terminal.shown, transport === "tcp" ? "> echo client started\r\n" : "> client started\r\n");
  }, about);
}

bounded("meari converses in Korean when the locale says so", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  await using terminal = new Terminal("meari", [endpoints[0]!], { env: { LANG: "ko_KR.UTF-8" } });
  await terminal.shows("> 에코 클라이언트 활성화\r\n");
  await terminal.shows(`> 대화 상대 ${endpoints[0]}; "quit" 또는 Ctrl+D 로 종료\r\n`);
  await terminal.type(`안녕${KEYS.enter}`);
  await terminal.shows("> received: 안녕\r\n");
  await terminal.type(`quit${KEYS.enter}`);
  await terminal.shows("> 에코 클라이언트 비활성화\r\n");
  await terminal.ends(0);
}, about);

bounded("meari brings back earlier lines with Up and Down", async () => {
  await using talk = await chat();
  const { terminal } = talk;
  for (const text of ["first", "second"]) {
    await terminal.type(text + KEYS.enter);
    await terminal.shows(`> received: ${text}\r\n`);
  }
  await terminal.type(KEYS.up + KEYS.up + KEYS.enter);
  await terminal.shows("> received: first\r\n");
  await terminal.type(KEYS.up + KEYS.up + KEYS.up + KEYS.down + KEYS.enter);
  await terminal.shows("> received: second\r\n");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(0);
}, about);

bounded("meari edits a line within, Korean characters too", async () => {
  await using talk = await chat();
  const { terminal } = talk;
  await terminal.type(`hllo${KEYS.left.repeat(3)}e${KEYS.enter}`);
  await terminal.shows("> received: hello\r\n");
  await terminal.type(`메리${KEYS.left}아${KEYS.enter}`);
  await terminal.shows("> received: 메아리\r\n");
  await terminal.type(`helloo${KEYS.backspace}${KEYS.home}O${KEYS.enter}`);
  await terminal.shows("> received: Ohello\r\n");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(0);
}, about);

bounded("meari sends each line of a paste", async () => {
  await using talk = await chat();
  const { terminal } = talk;
  await terminal.type("one\rtwo\rthree\r");
  for (const text of ["one", "two", "three"]) await terminal.shows(`> received: ${text}\r\n`);
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(0);
}, about);

for (const key of ["ctrlC", "ctrlD"] as const) {
  bounded(`meari ends politely at ${key}, also in the middle of a conversation`, async () => {
    await using talk = await chat();
    const { terminal, server } = talk;
    await terminal.type(`hello${KEYS.enter}`);
    await terminal.shows("> received: hello\r\n");
    await terminal.type(KEYS[key]);
    await terminal.shows("> echo client stopped\r\n");
    await terminal.ends(0);
    await server.stdout.until(/> client \S+ disconnected: 1 message/);
  }, about);
}

bounded("meari ends at Ctrl+C while a line is typed, and shows what was typed on a line of its own", async () => {
  await using talk = await chat();
  const { terminal } = talk;
  await terminal.type("half a li");
  await terminal.shows("half a li");
  await terminal.type(KEYS.ctrlC);
  await terminal.shows(/^\r*\n> echo client stopped\r\n/);
  await terminal.ends(0);
}, about);

bounded("meari ends at Ctrl+C while it waits for an echo, and at two Ctrl+C as at one", async () => {
  const over = Promise.withResolvers<void>();
  const got = Promise.withResolvers<void>();
  await using server = new ScriptedServer(async (conn) => {
    await conn.read(new Uint8Array(10));
    got.resolve();
    await over.promise;
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint), "--timeout", "1h"]);
  await terminal.prompts();
  await terminal.type(`hello${KEYS.enter}`);
  await got.promise;
  await terminal.type(KEYS.ctrlC + KEYS.ctrlC);
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(0);
  over.resolve();
}, about);

for (const signal of ["SIGTERM", "SIGQUIT", "SIGHUP"] as const) {
  bounded(`meari ends politely at ${signal}, and leaves the terminal as it was`, async () => {
    await using talk = await chat();
    const { terminal, server } = talk;
    await terminal.type("half a li");
    await terminal.shows("half a li");
    await terminal.signal(signal);
    await terminal.shows("> echo client stopped\r\n");
    await terminal.ends(0);
    await server.stdout.until(/disconnected: 0 messages/);
  }, about);
}

/** Runs a program in a terminal that goes away once the program has prompted, and tells how it ended. */
const HANG_UP = `
import os, pty
errors, program = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    os.execvp(program[0], program)
shown = b""
while b"> \\x1b[3G" not in shown: shown += os.read(terminal, 65536)
os.close(terminal)
print(os.waitpid(child, 0)[1])
`;

bounded("meari ends without a word when its terminal goes away", async () => {
  using folder = new TempFolder();
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const outcome = await python(HANG_UP, folder.file("err"), ...program("meari"), endpoints[0]!);
  assertEquals(outcome.stderr, "");
  // It may have ended already when the signal comes, which then ends it as it does any program.
  assert(["0\n", "1\n"].includes(outcome.text), outcome.text);
  assertEquals(Deno.readTextFileSync(folder.file("err")), "");
  await server.stdout.until(/disconnected: 0 messages/);
}, about);

bounded("meari ends at Ctrl+\\ as at Ctrl+C", async () => {
  await using talk = await chat();
  await talk.terminal.type(KEYS.ctrlBackslash);
  await talk.terminal.shows("> echo client stopped\r\n");
  await talk.terminal.ends(0);
}, about);

for (
  const [where, within] of [["", []], [" in a shell that controls jobs", ["-ic", '"$@"; exit $?', "bash"]]] as const
) {
  bounded(`meari takes no notice of Ctrl+Z${where}`, async () => {
    const shell = within.length > 0 ? [needs("bash"), "--norc", ...within] : [];
    await using talk = await chat("tcp", { within: shell });
    const { terminal } = talk;
    await terminal.type(`hel${KEYS.ctrlZ}lo${KEYS.enter}`);
    await terminal.shows("> received: hello\r\n");
    await terminal.type(KEYS.ctrlD);
    await terminal.ends(0);
    assertNoStackTrace(terminal.shown);
  }, about);
}

bounded("meari tells at once that the server has gone, without a key being pressed", async () => {
  await using talk = await chat();
  const { terminal, server } = talk;
  await terminal.type(`hello${KEYS.enter}`);
  await terminal.shows("> received: hello\r\n");
  await terminal.prompts();
  await terminal.type("half a li");
  await terminal.shows("half a li");
  server.kill("SIGKILL");
  await terminal.shows(/> the server (closed the connection|has gone: connection reset by the peer)\r\n/);
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(1);
}, about);

bounded("meari tells that the server closed the connection while an echo was awaited", async () => {
  await using server = new ScriptedServer(async (conn) => {
    await conn.read(new Uint8Array(10));
    await conn.write(new TextEncoder().encode("he"));
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint)]);
  await terminal.prompts();
  await terminal.type(`hello${KEYS.enter}`);
  await terminal.shows("> received: he\r\n");
  await terminal.shows("> the server closed the connection\r\n");
  await terminal.ends(3);
}, about);

bounded("meari lets no escape byte of the server through to the terminal", async () => {
  const attack = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202etxt";
  await using server = new ScriptedServer(async (conn) => {
    const buffer = new Uint8Array(100);
    for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
      // As long as the message, and then what nobody asked for.
      await conn.write(new TextEncoder().encode(attack));
    }
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint)]);
  await terminal.prompts();
  await terminal.type(`x${KEYS.enter}`);
  await terminal.shows("> received: \\x1b");
  await terminal.shows('> the echo differs at byte 1: sent "x", got "\\x1b"');
  await terminal.shows("> received: ]0;owned\\x07\\x1b[2J");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(3);
  assertEquals(["\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e"].filter((bytes) => terminal.shown.includes(bytes)), []);
}, about);

bounded("meari shows what the server says unasked, and then the line that is being typed", async () => {
  const speak = Promise.withResolvers<void>();
  await using server = new ScriptedServer(async (conn) => {
    await speak.promise;
    await conn.write(new TextEncoder().encode("unasked"));
    await readToEnd(conn);
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint)]);
  await terminal.prompts();
  await terminal.type("half a li");
  await terminal.shows("half a li");
  speak.resolve();
  await terminal.shows("> received: unasked\r\n");
  await terminal.shows("> half a li");
  await terminal.type(KEYS.ctrlD + KEYS.ctrlC);
  // It came back, and was never sent.
  await terminal.ends(3);
}, about);

bounded(
  "meari shows what the server says unasked whole also where the line that is being typed fills several rows",
  async () => {
    const speak = Promise.withResolvers<void>();
    await using server = new ScriptedServer(async (conn) => {
      await speak.promise;
      await conn.write(new TextEncoder().encode("unasked"));
      await readToEnd(conn);
    });
    await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint)]);
    await terminal.prompts();
    const long = "0123456789".repeat(20);
    await terminal.type(long);
    await terminal.shows(/(?:\d\D*){200}/);
    const before = terminal.shown.length;
    speak.resolve();
    await terminal.shows("> received: unasked\r\n");
    await terminal.shows(/> 0123/);
    // Two rows up to where the line began, and as many again before it is drawn anew below what was shown.
    const [erased = "", drawn = ""] = terminal.shown.slice(before).split("> received: unasked");
    assertEquals([erased.includes("\x1b[2A"), drawn.includes("\r\n\r\n\r\n")], [true, true]);
    await terminal.type(KEYS.ctrlC);
    await terminal.ends(3);
  },
  about,
);

bounded("meari says that no echo came over UDP, and goes on", async () => {
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    if (server.count > 1) await answer(datagram);
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint), "--timeout", "200ms"]);
  await terminal.prompts();
  await terminal.type(`one${KEYS.enter}`);
  await terminal.shows("> no echo within 200ms\r\n");
  await terminal.type(`two${KEYS.enter}`);
  await terminal.shows("> received: two\r\n");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(3);
}, about);

bounded("meari says in a chat what differs in an echo, with exit code 3", async () => {
  await using server = new ScriptedServer(async (conn) => {
    await conn.write((await readBytes(conn, 5)).with(0, 0x69));
    await readToEnd(conn);
  });
  for (const [LANG, differs] of [["en_US", "the echo differs at byte 1"], ["ko_KR", "에코가 1번째 바이트부터 다름"]]) {
    const to = formatEndpoint(server.endpoint);
    await using terminal = new Terminal("meari", [to], { env: { LANG: `${LANG}.UTF-8` } });
    await terminal.prompts();
    await terminal.type(`hello${KEYS.enter}`);
    await terminal.shows("> received: iello\r\n");
    await terminal.shows(`> ${differs}: `);
    await terminal.type(KEYS.ctrlD);
    await terminal.ends(3);
  }
}, about);

bounded("meari ends a chat at quit also where it is not answered, with exit code 3", async () => {
  await using server = new ScriptedServer(async (conn) => void await readToEnd(conn));
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint), "--timeout", "200ms"]);
  await terminal.prompts();
  await terminal.type(`quit${KEYS.enter}`);
  await terminal.shows("> no echo within 200ms\r\n");
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(3);
}, about);

bounded("meari ends a chat that finds nobody at a Unix socket of datagrams, and says so once", async () => {
  using folder = new TempFolder();
  const to = `unixgram://${folder.file("s.sock")}`;
  await using terminal = new Terminal("meari", [to]);
  await terminal.shows("> client started\r\n");
  await terminal.shows(`meari: cannot send to ${to}: no such file or directory; is the server running?`);
  await terminal.ends(1);
  assertEquals(terminal.shown.split("cannot send").length, 2);
}, about);

bounded("meari ends a chat whose server at a Unix socket of datagrams was killed, and says so once", async () => {
  using folder = new TempFolder();
  const { server, endpoints } = await startMeariServer([`unixgram://${folder.file("s.sock")}`]);
  await using _ = server;
  const to = endpoints[0]!;
  await using terminal = new Terminal("meari", [to]);
  await terminal.prompts();
  server.kill("SIGKILL");
  await server.exit();
  await terminal.type(`hello${KEYS.enter}`);
  await terminal.shows(`meari: cannot send to ${to}: connection refused; is the server running?`);
  await terminal.ends(1);
  assertEquals(terminal.shown.split("cannot send").length, 2);
}, about);

bounded("meari gives stdout the echoes as lines and nothing else where it is not the terminal", async () => {
  using folder = new TempFolder();
  const file = folder.file("out");
  const within = ["sh", "-c", `exec "$@" > "${file}"`, "sh"];
  await using talk = await chat("tcp", { within });
  const { terminal } = talk;
  for (const text of ["hello", "메아리", "quit"]) {
    await terminal.type(text + KEYS.enter);
    if (text !== "quit") await terminal.prompts();
  }
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(0);
  assertEquals(Deno.readTextFileSync(file), "hello\n메아리\nquit\n");
  assertEquals(terminal.shown.includes("received"), false);
}, about);

bounded("meari sends what is typed line by line where neither stdout nor stderr is the terminal", async () => {
  using folder = new TempFolder();
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  const within = ["sh", "-c", `exec "$@" > "${folder.file("out")}" 2> "${folder.file("err")}"`, "sh"];
  await using terminal = new Terminal("meari", [endpoints[0]!], { within });
  await terminal.type(`hello\r메아리\r${KEYS.ctrlD}`);
  await terminal.ends(0);
  assertEquals([folder.file("out"), folder.file("err")].map((path) => Deno.readTextFileSync(path)), [
    "hello\n메아리\n",
    "",
  ]);
}, about);

bounded("meari ends a chat without a word when nobody reads its stdout any more", async () => {
  const { server, endpoints } = await startMeariServer(["tcp://127.0.0.1:0"]);
  await using _ = server;
  // Its own exit code counts, not that of the pipe.
  const within = [needs("bash"), "-c", '"$@" | head -n 1; exit ${PIPESTATUS[0]}', "bash"];
  await using terminal = new Terminal("meari", [endpoints[0]!], { within });
  await terminal.prompts();
  await terminal.type(`one${KEYS.enter}`);
  await terminal.shows("one\r\n");
  let over = false;
  const ended = terminal.ends(1).finally(() => over = true);
  ended.catch(() => {});
  while (!over) {
    await terminal.type(`more${KEYS.enter}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ended;
}, about);

bounded("meari ends at Ctrl+C while it connects", async () => {
  await using full = await fullListener();
  await using terminal = new Terminal("meari", [formatEndpoint(full.endpoint), "--timeout", "1h"]);
  await full.isConnecting();
  await terminal.type(KEYS.ctrlC);
  await terminal.ends(1);
}, { ignore: Deno.build.os !== "linux" });

bounded("meari says in one line that nobody listens, and leaves the terminal as it was", async () => {
  const to = `tcp://127.0.0.1:${freeTcpPort()}`;
  await using terminal = new Terminal("meari", [to]);
  await terminal.shows(`meari: cannot connect to ${to}: connection refused; is the server running?`);
  await terminal.ends(1);
}, about);
