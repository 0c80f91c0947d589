/**
 * Every text that the programs say in the user's language. The Korean lines that the seed has are the seed's, to the
 * letter.
 *
 * @module
 */

import { formatDuration, formatSize, plural } from "../units.ts";

/** The languages there are. */
export const LANGUAGES = ["en", "ko"] as const;

/** A language, by its ISO 639-1 code. */
export type Language = typeof LANGUAGES[number];

/** The catalogue of one language. */
export interface Messages {
  /** The server has started; `datagramsOnly` where it serves no stream. */
  serverStarted(datagramsOnly: boolean): string;
  /** The server has stopped. */
  serverStopped(datagramsOnly: boolean): string;
  /** The server serves an endpoint: by what, and how many bytes its receive buffer has of those asked for, if less. */
  listening(endpoint: string, engine: "native" | "portable", buffer?: { given: number; asked: number }): string;
  /** A client has connected from an IP address. */
  connected(ip: string, port: number): string;
  /** A client has connected to a Unix socket. */
  connectedLocally(path: string): string;
  /** A message was echoed. */
  echoed(text: string): string;
  /** More of a kind happened than lines were written for; `bytes` is the size of messages. */
  unshown(of: "connected" | "echoed" | "disconnected" | "refused", count: number, bytes: number): string;
  /** A datagram was not answered. */
  refused(peer: string, reason: string): string;
  /** How many datagrams were not answered in all. */
  refusedInAll(count: number): string;
  /** A client's connection has ended. */
  disconnected(peer: string, how: Ending, messages: number, bytes: number, milliseconds: number): string;
  /** What the server did in all. */
  served(connections: number, messages: number, bytes: number, milliseconds: number): string;
  /** Lines of the log were lost because the reader of the output is too slow. */
  linesLost(lines: number): string;
  /** The signal to stop was received and connections are still busy. */
  stopping(connections: number): string;
  /** The client has started; `datagrams` where it sends datagrams. */
  clientStarted(datagrams: boolean): string;
  /** The client has ended. */
  clientStopped(datagrams: boolean): string;
  /** Where the conversation goes and how it ends. */
  talkingTo(endpoint: string): string;
  /** An echo came back. */
  received(text: string): string;
  /** An echo came back after its wait was over. */
  receivedLate(text: string): string;
  /** An echo is not what was sent: the first byte that differs, and what is around it, quoted. */
  echoDiffers(byte: number, sent: string, got: string): string;
  /** The server has ended the conversation; `why` where it broke. */
  serverClosed(why: string | undefined): string;
  /** No echo came in time: so many of so many bytes. */
  noEcho(bytes: number, expected: number, milliseconds: number): string;
}

/**
 * How a connection ended: by the client, by `quit`, by a reset, or by the server's stop, which cuts it where something
 * was in flight.
 */
export type Ending = "closed" | "quit" | "reset" | "stopped" | "cut";

const en: Messages = {
  serverStarted: (datagramsOnly) => datagramsOnly ? "> server started" : "> echo server started",
  serverStopped: (datagramsOnly) => datagramsOnly ? "> server stopped" : "> echo server stopped",
  listening: (endpoint, engine, buffer) => {
    const small = buffer &&
      `; receive buffer ${formatSize(buffer.given)} of ${formatSize(buffer.asked)}, net.core.rmem_max allows no more`;
    return `> listening on ${endpoint} (${engine}${small ?? ""})`;
  },
  connected: (ip, port) => `> client connected by IP address ${ip} with Port number ${port}`,
  connectedLocally: (path) => `> client connected by Unix socket ${path}`,
  echoed: (text) => `> echoed: ${text}`,
  unshown: (of, count, bytes) => {
    switch (of) {
      case "connected":
        return `> ${plural(count, "more client")} connected, not shown`;
      case "disconnected":
        return `> ${plural(count, "more client")} disconnected, not shown`;
      case "refused":
        return `> ${plural(count, "more datagram")} not answered, not shown`;
      case "echoed":
        return `> echoed ${plural(count, "more message")} (${formatSize(bytes)}), not shown`;
    }
  },
  refused: (peer, reason) => `> datagram from ${peer} not answered: ${reason}`,
  refusedInAll: (count) => `> ${plural(count, "datagram")} not answered`,
  disconnected: (peer, how, messages, bytes, milliseconds) => {
    const verb = {
      closed: "disconnected",
      quit: "said quit",
      reset: "reset the connection",
      stopped: "closed at the stop",
      cut: "cut off",
    }[how];
    return `> client ${peer} ${verb}: ${plural(messages, "message")}, ${formatSize(bytes)}, ${
      formatDuration(milliseconds)
    }`;
  },
  served: (connections, messages, bytes, milliseconds) =>
    `> served ${plural(connections, "connection")}, ${plural(messages, "message")}, ${formatSize(bytes)} in ${
      formatDuration(milliseconds)
    }`,
  linesLost: (lines) => `> ${plural(lines, "line")} of this log lost: its reader is too slow`,
  stopping: (connections) => `> stopping; ${plural(connections, "connection")} open (once more to end at once)`,
  clientStarted: (datagrams) => datagrams ? "> client started" : "> echo client started",
  clientStopped: (datagrams) => datagrams ? "> client stopped" : "> echo client stopped",
  talkingTo: (endpoint) => `> talking to ${endpoint}; "quit" or Ctrl+D ends`,
  received: (text) => `> received: ${text}`,
  receivedLate: (text) => `> received late: ${text}`,
  echoDiffers: (byte, sent, got) => `> the echo differs at byte ${byte}: sent ${sent}, got ${got}`,
  serverClosed: (why) => why === undefined ? "> the server closed the connection" : `> the server has gone: ${why}`,
  noEcho: (bytes, expected, milliseconds) =>
    bytes === 0
      ? `> no echo within ${formatDuration(milliseconds)}`
      : `> only ${bytes} of ${plural(expected, "byte")} came back within ${formatDuration(milliseconds)}`,
};

/** Why a datagram is not answered. */
const REASONS_KO: Record<string, string> = {
  "no return address": "답할 주소가 없음",
  "answering port": "답에 다시 답하는 포트",
  "own address": "이 서버 자신의 주소",
  "repeats": "같은 데이터그램의 반복",
  "peer does not read": "상대가 읽지 않음",
};

const ko: Messages = {
  serverStarted: (datagramsOnly) => datagramsOnly ? "> 서버 활성화" : "> 에코 서버 활성화",
  serverStopped: (datagramsOnly) => datagramsOnly ? "> 서버 비활성화" : "> 에코 서버 비활성화",
  listening: (endpoint, engine, buffer) => {
    const small = buffer &&
      `; 수신 버퍼 ${formatSize(buffer.given)} (요청 ${formatSize(buffer.asked)}, net.core.rmem_max 의 한도)`;
    return `> ${endpoint} 에서 대기 중 (${engine}${small ?? ""})`;
  },
  connected: en.connected,
  connectedLocally: en.connectedLocally,
  echoed: en.echoed,
  unshown: (of, count, bytes) => {
    switch (of) {
      case "connected":
        return `> 표시하지 않은 연결 ${count}개`;
      case "disconnected":
        return `> 표시하지 않은 연결 종료 ${count}개`;
      case "refused":
        return `> 표시하지 않은 무응답 데이터그램 ${count}개`;
      case "echoed":
        return `> echoed: 표시하지 않은 메시지 ${count}개 (${formatSize(bytes)})`;
    }
  },
  refused: (peer, reason) => `> ${peer} 의 데이터그램에 응답하지 않음: ${REASONS_KO[reason] ?? reason}`,
  refusedInAll: (count) => `> 응답하지 않은 데이터그램 ${count}개`,
  disconnected: (peer, how, messages, bytes, milliseconds) => {
    const verb = {
      closed: "연결 종료",
      quit: "quit 으로 종료",
      reset: "연결 재설정",
      stopped: "서버 종료로 연결 닫힘",
      cut: "처리 중 연결 끊김",
    }[how];
    return `> 클라이언트 ${peer} ${verb}: 메시지 ${messages}개, ${formatSize(bytes)}, ${formatDuration(milliseconds)}`;
  },
  served: (connections, messages, bytes, milliseconds) =>
    `> 연결 ${connections}개, 메시지 ${messages}개, ${formatSize(bytes)}, ${formatDuration(milliseconds)} 동안 처리`,
  linesLost: (lines) => `> 출력을 읽는 쪽이 느려 로그 ${lines}줄을 잃음`,
  stopping: (connections) => `> 종료 중; 열린 연결 ${connections}개 (한 번 더 누르면 즉시 종료)`,
  clientStarted: (datagrams) => datagrams ? "> 클라이언트 활성화" : "> 에코 클라이언트 활성화",
  clientStopped: (datagrams) => datagrams ? "> 클라이언트 비활성화" : "> 에코 클라이언트 비활성화",
  talkingTo: (endpoint) => `> 대화 상대 ${endpoint}; "quit" 또는 Ctrl+D 로 종료`,
  received: en.received,
  receivedLate: (text) => `> 늦게 도착: ${text}`,
  echoDiffers: (byte, sent, got) => `> 에코가 ${byte}번째 바이트부터 다름: 보낸 것 ${sent}, 받은 것 ${got}`,
  serverClosed: (why) => why === undefined ? "> 서버가 연결을 닫음" : `> 서버와 연결이 끊김: ${why}`,
  noEcho: (bytes, expected, milliseconds) =>
    bytes === 0
      ? `> ${formatDuration(milliseconds)} 안에 에코가 오지 않음`
      : `> ${formatDuration(milliseconds)} 안에 ${expected}바이트 중 ${bytes}바이트만 돌아옴`,
};

/** The catalogues by language. */
export const messages: Record<Language, Messages> = { en, ko };

/**
 * Finds the user's language as POSIX locales have it: `LC_ALL`, then `LC_MESSAGES`, then `LANG`.
 *
 * @param env Reads an environment variable.
 * @returns `ko` where the locale says so, else `en`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(detectLanguage((name) => name === "LANG" ? "ko_KR.UTF-8" : undefined), "ko");
 * ```
 */
export function detectLanguage(env: (name: string) => string | undefined): Language {
  const locale = env("LC_ALL") || env("LC_MESSAGES") || env("LANG") || "";
  return /^ko(?:$|[_.@-])/i.test(locale) ? "ko" : "en";
}
