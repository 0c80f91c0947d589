import { assertEquals, assertMatch } from "@std/assert";
import { detectLanguage, LANGUAGES, messages } from "../../../lib/cli/messages.ts";

/** What the seed's programs print, to the letter. */
Deno.test("messages.ko has the seed's lines to the letter when the seed has them", () => {
  const { ko } = messages;
  assertEquals([ko.serverStarted(false), ko.serverStopped(false)], ["> 에코 서버 활성화", "> 에코 서버 비활성화"]);
  assertEquals([ko.serverStarted(true), ko.serverStopped(true)], ["> 서버 활성화", "> 서버 비활성화"]);
  assertEquals([ko.clientStarted(false), ko.clientStopped(false)], [
    "> 에코 클라이언트 활성화",
    "> 에코 클라이언트 비활성화",
  ]);
  assertEquals([ko.clientStarted(true), ko.clientStopped(true)], ["> 클라이언트 활성화", "> 클라이언트 비활성화"]);
  assertEquals(
    ko.connected("127.0.0.1", 50123),
    "> client connected by IP address 127.0.0.1 with Port number 50123",
  );
  assertEquals([ko.echoed("메아리"), ko.received("메아리")], ["> echoed: 메아리", "> received: 메아리"]);
});

Deno.test("messages.en says the same in English when the seed's lines are Korean", () => {
  const { en } = messages;
  assertEquals([en.serverStarted(false), en.serverStopped(false)], ["> echo server started", "> echo server stopped"]);
  assertEquals([en.serverStarted(true), en.serverStopped(true)], ["> server started", "> server stopped"]);
  assertEquals(en.connected("::1", 7), "> client connected by IP address ::1 with Port number 7");
});

Deno.test("messages say of an idle connection that the stop closed it, and that it was cut only where it was busy", () => {
  const { en, ko } = messages;
  assertEquals(en.disconnected("a", "stopped", 1, 4, 5), "> client a closed at the stop: 1 message, 4 bytes, 5ms");
  assertEquals(en.disconnected("a", "cut", 1, 4, 5), "> client a cut off: 1 message, 4 bytes, 5ms");
  assertEquals(
    ko.disconnected("a", "stopped", 1, 4, 5),
    "> 클라이언트 a 서버 종료로 연결 닫힘: 메시지 1개, 4 bytes, 5ms",
  );
  assertEquals(ko.disconnected("a", "cut", 1, 4, 5), "> 클라이언트 a 처리 중 연결 끊김: 메시지 1개, 4 bytes, 5ms");
});

Deno.test("messages.en counts in the singular when there is one", () => {
  const { en } = messages;
  assertEquals(en.unshown("echoed", 1, 1), "> echoed 1 more message (1 byte), not shown");
  assertEquals(en.unshown("echoed", 20, 2048), "> echoed 20 more messages (2 KiB), not shown");
  assertEquals(en.unshown("connected", 1, 0), "> 1 more client connected, not shown");
  assertEquals(en.unshown("disconnected", 2, 0), "> 2 more clients disconnected, not shown");
  assertEquals(en.unshown("refused", 1, 0), "> 1 more datagram not answered, not shown");
  assertEquals([en.refusedInAll(1), en.refusedInAll(2)], ["> 1 datagram not answered", "> 2 datagrams not answered"]);
  assertEquals(en.disconnected("[::1]:7", "quit", 1, 4, 1500), "> client [::1]:7 said quit: 1 message, 4 bytes, 1.5s");
});

for (const language of LANGUAGES) {
  Deno.test(`messages.${language} says each ending in its own words when a client has gone`, () => {
    const endings = ["closed", "quit", "reset", "stopped", "cut"] as const;
    const lines = endings.map((how) => messages[language].disconnected("127.0.0.1:9", how, 2, 3000, 4));
    assertEquals(new Set(lines).size, endings.length);
    for (const line of lines) assertMatch(line, /^> .*127\.0\.0\.1:9.*2.*3000 bytes, 4ms$/);
  });

  Deno.test(`messages.${language} gives every text on one line that starts as the seed's do when called`, () => {
    const all = messages[language];
    const lines = [
      all.serverStarted(false),
      all.serverStopped(false),
      all.listening("tcp://127.0.0.1:7", "native"),
      all.connected("127.0.0.1", 7),
      all.connectedLocally("/run/meari.sock"),
      all.echoed("a"),
      ...(["connected", "echoed", "disconnected", "refused"] as const).map((of) => all.unshown(of, 2, 3)),
      all.refused("127.0.0.1:7", "answering port"),
      all.refusedInAll(2),
      all.disconnected("a", "closed", 1, 2, 3),
      all.served(1, 2, 3, 4),
      all.linesLost(5),
      all.stopping(6),
      all.clientStarted(false),
      all.clientStopped(false),
      all.talkingTo("tcp://127.0.0.1:7"),
      all.received("a"),
      all.serverClosed(undefined),
      all.serverClosed("connection reset by the peer"),
      all.noEcho(0, 7, 5000),
      all.noEcho(3, 7, 5000),
    ];
    for (const line of lines) assertMatch(line, /^> [^\n]+$/);
    for (const given of ["tcp://127.0.0.1:7", "/run/meari.sock"]) {
      assertEquals(lines.some((line) => line.includes(given)), true, given);
    }
  });
}

Deno.test("detectLanguage() finds Korean when the locale that counts is Korean", () => {
  const korean: Record<string, string>[] = [
    { LANG: "ko" },
    { LANG: "ko_KR" },
    { LANG: "ko_KR.UTF-8" },
    { LANG: "KO-kr" },
    { LC_ALL: "ko_KR.UTF-8", LANG: "en_US.UTF-8" },
    { LC_ALL: "", LC_MESSAGES: "ko@euro", LANG: "C" },
  ];
  for (const env of korean) assertEquals(detectLanguage((name) => env[name]), "ko", JSON.stringify(env));
});

Deno.test("detectLanguage() falls back to English when the locale is another, none or only looks Korean", () => {
  const others: Record<string, string>[] = [
    {},
    { LANG: "C.UTF-8" },
    { LANG: "kok_IN" },
    { LC_ALL: "C", LANG: "ko_KR.UTF-8" },
    { LC_MESSAGES: "de_DE", LANG: "ko_KR" },
  ];
  for (const env of others) assertEquals(detectLanguage((name) => env[name]), "en", JSON.stringify(env));
});
