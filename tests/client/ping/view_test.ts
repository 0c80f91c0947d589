import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { LiveLine, liveText } from "../../../client/ping/live_line.ts";
import type { PingSummary } from "../../../client/ping/tally.ts";
import { rowLine, sampleLine, summaryLines, sweepLines } from "../../../client/ping/view.ts";

const rtt = { min: 83.4, mean: 120, median: 100.5, p90: 300, p99: 1234.5, max: 98_765.4, stddev: 20 };

const summary: PingSummary = {
  sent: 1000,
  received: 990,
  lost: 7,
  late: 1,
  duplicate: 2,
  reordered: 4,
  corrupted: 3,
  unrelated: 5,
  rtt_us: rtt,
  jitter_us: { rfc3550: 12, ipdv_mean: 34 },
  duration_s: 1.5,
};

Deno.test("sampleLine() says what is odd about an answer", () => {
  const lines = [
    sampleLine({ seq: 3, rtt_us: 83, bytes: 64, odd: [] }, "64 bytes from a:7"),
    sampleLine({ seq: 3, rtt_us: 83, bytes: 64, odd: ["reordered", "late"] }, "64 bytes from a:7"),
    sampleLine({ seq: 3, rtt_us: null, bytes: 1, odd: ["corrupted", "duplicate"], wrong_byte: 1 }, "1 byte from a:7"),
    sampleLine({ seq: null, rtt_us: null, bytes: 64, odd: ["unrelated"] }, "64 bytes from a:7"),
    sampleLine({ seq: 3, rtt_us: 83, bytes: 0, odd: [] }, "connected to a:7"),
  ];
  assertEquals(lines, [
    "64 bytes from a:7: seq=3 time=0.083 ms",
    "64 bytes from a:7: seq=3 time=0.083 ms (reordered) (late)",
    "1 byte from a:7: seq=3 byte 1 is wrong (corrupted) (duplicate)",
    "64 bytes from a:7: not an answer to any probe (unrelated)",
    "connected to a:7: seq=3 time=0.083 ms",
  ]);
});

Deno.test("summaryLines() tells all counts, and what small probes do not tell", () => {
  const [title, counts, ...times] = summaryLines("udp://a:7", summary, 64);
  assertEquals([title, counts], [
    "--- udp://a:7 ping statistics ---",
    "1000 sent, 990 received, 7 lost (0.7%), 2 duplicate, 4 reordered, 3 corrupted, 1 late, 5 unrelated, in 1.5s",
  ]);
  assertEquals(times, [
    "RTT ms: min 0.083, mean 0.120, median 0.101, p90 0.300, p99 1.234, max 98.765, stddev 0.020",
    "jitter ms: RFC 3550 0.012, mean IPDV 0.034",
  ]);
  assertEquals(summaryLines("udp://a:7", summary, undefined).length, 4);
  for (const size of [0, 15]) assertEquals(summaryLines("udp://a:7", summary, size)[2]?.startsWith("("), true);
});

Deno.test("rowLine() and sweepLines() write one byte in the singular, and tell of what came back corrupted", () => {
  const row = { sent: 3, lost: 0, received: 3, rtt_us: rtt };
  assertEquals([rowLine({ ...row, bytes: 1 }), rowLine({ ...row, bytes: 1472 })], [
    "     1 byte: 3 of 3 came back  RTT ms: min 0.083, median 0.101",
    " 1472 bytes: 3 of 3 came back  RTT ms: min 0.083, median 0.101",
  ]);
  assertEquals(
    rowLine({ bytes: 64, sent: 3, received: 0, lost: 3, corrupted: 3, rtt_us: null }),
    "   64 bytes: 0 of 3 came back  (3 corrupted)",
  );
  assertEquals(sweepLines({ sweep: [], largest_bytes: 1, loss_from_bytes: 2 }), [
    "largest datagram that comes back: 1 byte",
    "loss from 2 bytes on",
  ]);
});

Deno.test("liveText() leaves out what a narrow terminal has no room for", () => {
  const sample = { seq: 1000, rtt_us: 83, bytes: 64, odd: [] };
  const at = (columns: number) => liveText(sample, [80, 90, 83], summary, columns);
  assertEquals([at(117), at(60), at(37), at(12)], [
    "seq=1000 0.083 ms ▁█▃ 990/1000 answered, 7 lost (0.7%), min/median/p99/max 0.083/0.101/1.234/98.765 ms",
    "seq=1000 0.083 ms ▁█▃ 990/1000 answered, 7 lost (0.7%)",
    "seq=1000 0.083 ms ▁█▃ 7 lost (0.7%)",
    "7 lost (0.7%)",
  ]);
});

Deno.test("LiveLine.refresh() shows what was lost where no answer came at all, or none comes any more", () => {
  let drawn = "";
  const line = new LiveLine({ write: (text) => drawn = text, columns: () => 60, interval: 0 });
  line.refresh(() => ({ ...summary, sent: 2, received: 0, lost: 2, rtt_us: null }));
  assertEquals(drawn, "\r0/2 answered, 2 lost (100%)\x1b[K");
  line.update({ seq: 3, rtt_us: 83, bytes: 64, odd: [] }, () => ({ ...summary, sent: 3, received: 1, lost: 2 }));
  line.refresh(() => ({ ...summary, sent: 9, received: 1, lost: 8 }));
  assertEquals(drawn, "\rseq=3 0.083 ms ▁ 1/9 answered, 8 lost (88.9%)\x1b[K");
});

Deno.test("LiveLine.update() keeps within any terminal from 40 columns up", () => {
  const count = fc.nat({ max: 10_000_000 });
  fc.assert(fc.property(fc.integer({ min: 40, max: 300 }), count, count, fc.array(fc.double({ min: 0, max: 1e8 })), (
    columns,
    sent,
    lost,
    times,
  ) => {
    let drawn = "";
    const line = new LiveLine({ write: (text) => drawn = text, columns: () => columns });
    line.update(
      { seq: sent, rtt_us: times[0] ?? null, bytes: 64, odd: [] },
      () => ({ ...summary, sent, lost: Math.min(lost, sent), received: sent - Math.min(lost, sent) }),
    );
    const text = drawn.slice("\r".length, drawn.lastIndexOf("\x1b"));
    assert(text.includes(" lost (") && textWidth(text) < columns, `${textWidth(text)} columns of ${columns}`);
  }));
});
