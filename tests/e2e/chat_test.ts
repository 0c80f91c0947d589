import { assertEquals, assertStringIncludes } from "@std/assert";
import { bounded } from "../helpers/bounded.ts";
import { freeTcpPort } from "../helpers/free_port.ts";
import { startMeariServer } from "../helpers/meari.ts";
import { ScriptedDatagramServer, ScriptedServer } from "../helpers/scripted_server.ts";
import { readToEnd } from "../helpers/streams.ts";
import { KEYS, Terminal } from "../helpers/terminal.ts";
import { formatEndpoint } from "../../lib/endpoint.ts";

/** Windows has no terminals that a test can hold in its hands. */
const about = { ignore: Deno.build.os === "windows" };

/** A chat that has come to its first prompt, and its server. */
async function chat(args: string[] = [], transport = "tcp", env: Record<string, string> = {}) {
  const { server, endpoints } = await startMeariServer([`${transport}://127.0.0.1:0`]);
  const terminal = new Terminal("meari", [endpoints[0]!, ...args], env);
  await terminal.shows(`talking to ${endpoints[0]}`);
  await terminal.shows("> ");
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
    await using talk = await chat([], transport);
    const { terminal } = talk;
    for (const text of ["hello", "메아리가 돌아온다"]) {
      await terminal.type(text);
      await terminal.shows(text);
      await terminal.type(KEYS.enter);
      await terminal.shows(`> received: ${text}\r\n`);
      await terminal.shows("> ");
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
  await using terminal = new Terminal("meari", [endpoints[0]!], { LANG: "ko_KR.UTF-8" });
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
  await terminal.shows("talking to");
  await terminal.type(`hello${KEYS.enter}`);
  await got.promise;
  await terminal.type(KEYS.ctrlC + KEYS.ctrlC);
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(0);
  over.resolve();
}, about);

bounded("meari ends politely at SIGTERM", async () => {
  await using talk = await chat();
  const { terminal, server } = talk;
  const { default: process } = await import("node:process");
  process.kill(await childOf(terminal.pid), "SIGTERM");
  await terminal.shows("> echo client stopped\r\n");
  await terminal.ends(0);
  await server.stdout.until(/disconnected: 0 messages/);
}, about);

/** The only child of a process. */
async function childOf(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-A", "-o", "ppid=,pid="] }).output();
  const found = new RegExp(`^ *${pid} +(\\d+)$`, "m").exec(new TextDecoder().decode(stdout));
  return Number(found?.[1]);
}

bounded("meari tells at once that the server has gone, without a key being pressed", async () => {
  await using talk = await chat();
  const { terminal, server } = talk;
  await terminal.type(`hello${KEYS.enter}`);
  await terminal.shows("> received: hello\r\n");
  await terminal.shows("> ");
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
  await terminal.shows("talking to");
  await terminal.type(`hello${KEYS.enter}`);
  await terminal.shows("> the server closed the connection\r\n");
  await terminal.ends(1);
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
  await terminal.shows("talking to");
  await terminal.type(`x${KEYS.enter}`);
  await terminal.shows("> received: \\x1b");
  await terminal.shows("> received: ]0;owned\\x07\\x1b[2J");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(0);
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
  await terminal.shows("talking to");
  await terminal.type("half a li");
  await terminal.shows("half a li");
  speak.resolve();
  await terminal.shows("> received: unasked\r\n");
  await terminal.shows("> half a li");
  await terminal.type(KEYS.ctrlD + KEYS.ctrlC);
  await terminal.ends(0);
}, about);

bounded("meari says that no echo came over UDP, and goes on", async () => {
  await using server = new ScriptedDatagramServer(async (datagram, answer) => {
    if (server.count > 1) await answer(datagram);
  });
  await using terminal = new Terminal("meari", [formatEndpoint(server.endpoint), "--timeout", "200ms"]);
  await terminal.shows("talking to");
  await terminal.type(`one${KEYS.enter}`);
  await terminal.shows("> no echo within 200ms\r\n");
  await terminal.type(`two${KEYS.enter}`);
  await terminal.shows("> received: two\r\n");
  await terminal.type(KEYS.ctrlD);
  await terminal.ends(0);
}, about);

bounded("meari says in one line that nobody listens, and leaves the terminal as it was", async () => {
  const to = `tcp://127.0.0.1:${freeTcpPort()}`;
  await using terminal = new Terminal("meari", [to]);
  await terminal.shows(`meari: cannot connect to ${to}: connection refused; is the server running?`);
  await terminal.ends(1);
}, about);
