/** What the server does with each datagram, and with each message of a stream, besides receiving and sending. */

import { isQuit } from "../lib/quit.ts";
import { DatagramGuard } from "../server/guard/datagram_guard.ts";
import { RepeatBudget } from "../server/guard/repeat_budget.ts";

const datagram = crypto.getRandomValues(new Uint8Array(64));
const numbered = new DataView(datagram.buffer);
const own = [{ transport: "udp", hostname: "127.0.0.1", port: 65_456 }] as const;
const from = { transport: "udp", hostname: "127.0.0.1", port: 40_000 } as const;
let number = 0;

const repeated = new RepeatBudget({ repeats: Infinity });
Deno.bench("RepeatBudget.take(), the same again", () => {
  repeated.take(datagram, from.hostname, from.port);
});

const renewed = new RepeatBudget();
Deno.bench("RepeatBudget.take(), new bytes", () => {
  numbered.setUint32(0, number++);
  renewed.take(datagram, from.hostname, from.port);
});

const guard = new DatagramGuard(own);
Deno.bench("DatagramGuard.refuse(), new bytes", () => {
  numbered.setUint32(0, number++);
  guard.refuse(datagram, from);
});

const quit = new TextEncoder().encode("quit\r\n");
const quiz = new TextEncoder().encode("quiz\r\n");
Deno.bench("isQuit(), quit", () => {
  isQuit(quit);
});
Deno.bench("isQuit(), almost quit", () => {
  isQuit(quiz);
});
Deno.bench("isQuit(), 64 bytes", () => {
  isQuit(datagram);
});
