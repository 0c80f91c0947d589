import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ProbeFormat } from "../../../client/ping/probe.ts";
import { type PingCounts, PingTally } from "../../../client/ping/tally.ts";

const NONE: PingCounts = {
  sent: 0,
  received: 0,
  lost: 0,
  late: 0,
  duplicate: 0,
  reordered: 0,
  corrupted: 0,
  unrelated: 0,
};

/** After how long an answer is late, in nanoseconds. */
const WAIT = 1e9;

/** A session without sockets: what goes out is kept, and the clock is set by hand. */
class Bench {
  readonly format: ProbeFormat;
  readonly tally: PingTally;
  readonly probes: Uint8Array[] = [];
  now = 0;

  constructor(size = 64) {
    this.format = new ProbeFormat(size, "1234");
    this.tally = new PingTally(this.format, WAIT);
  }

  send(times = 1): void {
    for (let i = 0; i < times; i++) {
      const probe = this.format.make(this.tally.sent + 1);
      this.format.stamp(probe, this.now);
      this.probes.push(probe);
      this.tally.send(this.now);
    }
  }

  /** The probe of a sequence number comes back; `damage` changes it first. */
  answer(sequence: number, damage: (probe: Uint8Array) => Uint8Array = (probe) => probe) {
    this.now += 1e6;
    return this.tally.answer(damage(this.probes[sequence - 1]!.slice()), this.now);
  }

  get counts(): PingCounts {
    const { rtt_us: _rtt, jitter_us: _jitter, duration_s: _duration, ...counts } = this.tally.summary(this.now, true);
    return counts;
  }
}

function damaged(probe: Uint8Array): Uint8Array {
  probe[probe.length - 1]! ^= 1;
  return probe;
}

Deno.test("PingTally.answer() counts a probe as received when a whole answer comes after a corrupted one", () => {
  const bench = new Bench();
  bench.send();
  assertEquals(bench.answer(1, damaged), { seq: 1, rtt_us: null, bytes: 64, odd: ["corrupted"], wrong_byte: 64 });
  assertEquals(bench.counts, { ...NONE, sent: 1, corrupted: 1 });
  assertEquals(bench.tally.outstanding, 0);
  assertEquals(bench.answer(1), { seq: 1, rtt_us: 2000, bytes: 64, odd: ["duplicate"] });
  assertEquals(bench.counts, { ...NONE, sent: 1, received: 1, duplicate: 1 });
  assertEquals(bench.tally.summary(bench.now, true).rtt_us?.max, 2000);
});

Deno.test("PingTally.answer() leaves a probe received when a corrupted answer comes after a whole one", () => {
  const bench = new Bench();
  bench.send();
  bench.answer(1);
  assertEquals(bench.answer(1, damaged).odd, ["corrupted", "duplicate"]);
  assertEquals(bench.counts, { ...NONE, sent: 1, received: 1, duplicate: 1 });
});

Deno.test("PingTally.answer() counts a probe as corrupted once, however many corrupted answers come", () => {
  const bench = new Bench();
  bench.send(2);
  bench.answer(2, damaged);
  bench.answer(2, damaged);
  assertEquals(bench.counts, { ...NONE, sent: 2, corrupted: 1, duplicate: 1, lost: 1 });
});

Deno.test("PingTally.answer() counts what is of no probe of the session apart", () => {
  const bench = new Bench();
  bench.send();
  const other = new ProbeFormat(64, "1235").make(1);
  for (const stranger of [other, bench.format.make(0), bench.format.make(2), new Uint8Array(0), new Uint8Array(64)]) {
    assertEquals(bench.answer(1, () => stranger), {
      seq: null,
      rtt_us: null,
      bytes: stranger.length,
      odd: ["unrelated"],
    });
  }
  assertEquals(bench.counts, { ...NONE, sent: 1, lost: 1, unrelated: 5 });
});

Deno.test("PingTally.answer() finds a damaged send time, in the first answer and in a further one", () => {
  const bench = new Bench();
  bench.now = 5e6;
  bench.send();
  const restamped = (time: number) => (probe: Uint8Array) => {
    bench.format.stamp(probe, time);
    return probe;
  };
  assertEquals(bench.answer(1, restamped(4e6)).wrong_byte, 10);
  assertEquals(bench.answer(1).odd, ["duplicate"]);
  for (const time of [NaN, -1, 1e12]) {
    assertEquals(bench.answer(1, restamped(time)).odd, ["corrupted", "duplicate"]);
  }
});

Deno.test("PingTally.answer() tells answers that are cut short or too long to be corrupted", () => {
  const bench = new Bench();
  bench.send(2);
  assertEquals(bench.answer(1, (probe) => probe.subarray(0, 12)).wrong_byte, 13);
  assertEquals(bench.answer(2, (probe) => Uint8Array.of(...probe, 1)).wrong_byte, 65);
  assertEquals(bench.counts, { ...NONE, sent: 2, corrupted: 2 });
});

Deno.test("PingTally.answer() counts late and reordered answers among the received", () => {
  const bench = new Bench();
  bench.send(3);
  assertEquals(bench.answer(3).odd, []);
  assertEquals(bench.answer(1).odd, ["reordered"]);
  bench.now = WAIT + 1;
  assertEquals(bench.answer(2).odd, ["reordered", "late"]);
  assertEquals(bench.counts, { ...NONE, sent: 3, received: 3, reordered: 2, late: 1 });
});

Deno.test("PingTally.fail() has a probe be lost at once", () => {
  const bench = new Bench();
  bench.send(2);
  bench.tally.fail(1);
  assertEquals(bench.tally.outstanding, 1);
  const { sent, lost } = bench.tally.summary(bench.now, false);
  assertEquals([sent, lost], [1, 1]);
});

for (const size of [1, 4, 15]) {
  Deno.test(`PingTally.answer() matches answers of ${size} bytes by their content`, () => {
    const bench = new Bench(size);
    bench.send(300);
    assertEquals([bench.answer(200).seq, bench.answer(100).odd], [200, ["reordered"]]);
    assertEquals([bench.answer(200).odd, bench.answer(100).odd], [["duplicate"], ["duplicate"]]);
    // Of two that are alike, the first answer is of the first.
    assertEquals([bench.answer(259).seq, bench.answer(3).seq, bench.answer(3).odd], [3, 259, ["duplicate"]]);
    assertEquals(bench.counts, { ...NONE, sent: 300, received: 4, lost: 296, reordered: 2, duplicate: 3 });
  });
}

Deno.test("PingTally.answer() takes a small answer that is like no probe for a corrupted one to the first that waits", () => {
  const bench = new Bench(4);
  bench.send(2);
  assertEquals(bench.answer(2, damaged), { seq: 1, rtt_us: null, bytes: 4, odd: ["corrupted"], wrong_byte: 1 });
  assertEquals(bench.answer(1, (probe) => probe.subarray(1)).seq, 2);
  assertEquals(bench.answer(1, damaged).odd, ["unrelated"]);
  assertEquals(bench.counts, { ...NONE, sent: 2, corrupted: 2, unrelated: 1 });
});

Deno.test("PingTally.answer() matches small answers only to probes that are still waited for", () => {
  const bench = new Bench(4);
  bench.send();
  bench.now = WAIT + 1;
  bench.send(256);
  assertEquals(bench.answer(257).seq, 257);
  assertEquals(bench.answer(257).odd, ["duplicate"]);
});

Deno.test("PingTally.answer() matches empty answers in order", () => {
  const bench = new Bench(0);
  assertEquals(bench.tally.answer(new Uint8Array(0), 0).odd, ["unrelated"]);
  bench.send(2);
  assertEquals([bench.answer(2).seq, bench.answer(1).seq, bench.answer(1).odd], [1, 2, ["duplicate"]]);
  assertEquals(bench.counts, { ...NONE, sent: 2, received: 2, duplicate: 1, unrelated: 1 });
});

/** What happens in a session, in turn; the number chooses among the probes sent so far, or how much. */
const events = fc.array(
  fc.tuple(fc.constantFrom("send", "send", "pass", "whole", "whole", "damaged", "stranger", "fail"), fc.nat()),
  { maxLength: 80 },
);

Deno.test("PingTally counts as a model does that keeps the answers of each probe, whatever comes in whatever order", () => {
  fc.assert(fc.property(fc.constantFrom(16, 17, 64), events, (size, script) => {
    const bench = new Bench(size);
    const model: { answers: ("whole" | "damaged")[]; failed: boolean }[] = [];
    let answers = 0, strangers = 0;
    for (const [event, of] of script) {
      const index = model.length === 0 ? undefined : of % model.length;
      if (event === "send") {
        bench.send();
        model.push({ answers: [], failed: false });
      } else if (event === "pass") bench.now += of % (2 * WAIT);
      else if (event === "stranger") {
        bench.tally.answer(new Uint8Array(of % 100), bench.now);
        strangers++;
      } else if (index !== undefined && !model[index]!.failed) {
        if (event === "fail") {
          // One that was sent cannot fail once it was answered.
          if (model[index]!.answers.length > 0) continue;
          bench.tally.fail(index + 1);
          model[index]!.failed = true;
        } else {
          bench.answer(index + 1, event === "damaged" ? damaged : undefined);
          model[index]!.answers.push(event);
          answers++;
        }
      }
      const counts = bench.counts;
      const { sent, received, lost, late, duplicate, reordered, corrupted, unrelated } = counts;
      assertEquals({ sent, received, lost, duplicate, corrupted, unrelated }, {
        sent: model.length,
        received: model.filter((probe) => probe.answers.includes("whole")).length,
        lost: model.filter((probe) => probe.answers.length === 0).length,
        duplicate: model.reduce((sum, probe) => sum + Math.max(0, probe.answers.length - 1), 0),
        corrupted: model.filter(({ answers: [first, ...more] }) => first && ![first, ...more].includes("whole")).length,
        unrelated: strangers,
      });
      assertSound(counts, answers + strangers);
      assert(late <= received && reordered <= received);
      const soFar = bench.tally.summary(bench.now, false);
      assertSound(soFar, answers + strangers);
      assert(soFar.sent <= sent && soFar.lost <= lost);
    }
  }));
});

Deno.test("PingTally keeps its sums for small probes too, whatever comes in whatever order", () => {
  fc.assert(fc.property(fc.constantFrom(0, 1, 4, 15), events, (size, script) => {
    const bench = new Bench(size);
    let answers = 0;
    for (const [event, of] of script) {
      if (event === "send") bench.send(1 + of % 300);
      else if (event === "pass") bench.now += of % (2 * WAIT);
      else if (event === "stranger") {
        bench.tally.answer(new Uint8Array(of % 20), bench.now);
        answers++;
      } else if (event !== "fail" && bench.probes.length > 0) {
        const cut = (probe: Uint8Array) => probe.subarray(1);
        bench.answer(1 + of % bench.probes.length, event === "damaged" ? cut : undefined);
        answers++;
      }
      assertSound(bench.counts, answers);
      assertSound(bench.tally.summary(bench.now, false), answers);
    }
  }));
});

/** Each probe has one state, each answer is counted once, and nothing is below zero. */
function assertSound(counts: PingCounts, answers: number): void {
  const { sent, received, lost, late, duplicate, reordered, corrupted, unrelated } = counts;
  assertEquals(sent, received + corrupted + lost, JSON.stringify(counts));
  assertEquals(answers, received + corrupted + duplicate + unrelated, JSON.stringify(counts));
  for (const count of [sent, received, lost, late, duplicate, reordered, corrupted, unrelated]) assert(count >= 0);
}
