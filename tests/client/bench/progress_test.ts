import { assert, assertEquals, assertMatch } from "@std/assert";
import { Progress } from "../../../client/bench/progress.ts";
import { recorderOf } from "../../helpers/reports.ts";

const SECONDS = { duration: 4000, messages: undefined, rate: undefined };

/** The progress of a load that has had so many answers, of a millisecond each, in its first two seconds. */
function progressed(title: string, plan: ConstructorParameters<typeof Progress>[1], answers: number, bytes = 0) {
  const progress = new Progress(title, plan);
  progress.begin(10_000);
  const latencies = recorderOf(...Array<number>(answers).fill(1e6));
  progress.add({ start: 10_000, end: 12_000, latencies, bytes });
  return progress;
}

Deno.test("Progress shows the share that is done, the rate and the 99th percentile", () => {
  const waiting = new Progress("tcp://:7", SECONDS);
  assertEquals(waiting.line(9000, 80), "tcp://:7 connecting");
  waiting.begin(10_000);
  assertEquals(waiting.line(9999, 80), "tcp://:7 warming up");
  assertEquals(waiting.line(10_000, 80), `tcp://:7 ${"░".repeat(30)} 0 %`);
  const half = `tcp://:7 ${"█".repeat(15)}${"░".repeat(15)} 50 %  2/s  p99 1ms`;
  assertEquals(progressed("tcp://:7", SECONDS, 4).line(12_000, 80), half);
  const counted = progressed("tcp://:7", { duration: Infinity, messages: 16, rate: undefined }, 4);
  assertEquals(counted.line(12_000, 80), `tcp://:7 ${"█".repeat(8)}${"░".repeat(22)} 25 %  2/s  p99 1ms`);
  // A schedule takes its time also where no answers come.
  const scheduled = progressed("tcp://:7", { duration: Infinity, messages: 16, rate: 4 }, 4);
  assertEquals(scheduled.line(12_000, 80), half);
});

Deno.test("Progress shows how many bytes move where no message is whole yet", () => {
  assertMatch(progressed("tcp://:7", SECONDS, 0, 3e9).line(12_000, 80), / 50 % {2}1,500 MB\/s$/);
});

Deno.test("Progress fits any width from 40 columns on, without the last three", () => {
  const titles = ["tcp://:7", "10/10 tcp://[2001:db8:0:1:2:3:4:5]:65456", `unix:///${"서버/".repeat(20)}메아리.sock`];
  for (const title of titles) {
    const progresses = [
      new Progress(title, SECONDS),
      progressed(title, SECONDS, 0),
      progressed(title, SECONDS, 5000),
      progressed(title, { ...SECONDS, duration: 2000 }, 0, 2e13),
    ];
    // 20,000,000 messages a second, each of almost a day.
    const slow = new Progress(title, { ...SECONDS, duration: 1 });
    slow.begin(10_000);
    slow.add({ start: 10_000, end: 10_000.5, latencies: recorderOf(...Array(10_000).fill(86_399e9)), bytes: 0 });
    for (const progress of [...progresses, slow]) {
      for (let columns = 37; columns <= 250; columns++) {
        const line = progress.line(12_000, columns);
        // Korean takes two columns a syllable.
        const width = line.length + (line.match(/[가-힣]/g)?.length ?? 0);
        assert(width <= columns, `${width} of ${columns} columns: ${line}`);
        assertMatch(line, /connecting$|\d %$|\/s$|p99 \S.*s$/);
        if (columns >= 230) assert(line.startsWith(title), line);
      }
    }
  }
});
