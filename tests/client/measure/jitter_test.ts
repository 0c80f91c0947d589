import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JitterMeter } from "../../../client/measure/jitter.ts";
import { PYTHON, run } from "../../helpers/programs.ts";

/** What a meter tells of packets given as sequence number and round-trip time in microseconds. */
function jitterOf(...packets: [sequence: number, us: number][]) {
  const meter = new JitterMeter();
  for (const [sequence, us] of packets) meter.record(sequence, us * 1000);
  return meter.summary();
}

Deno.test("JitterMeter.summary() gives what one works out by hand", () => {
  // |D| = 160, 80, 0: J = 10, then 10 + 70/16 = 14.375, then 14.375 × 15/16 = 13.4766; their mean is 80.
  assertEquals(jitterOf([0, 100], [1, 260], [2, 180], [3, 180]), { rfc3550: 13.477, ipdv_mean: 80 });
});

Deno.test("JitterMeter.summary() gives null when no two consecutive packets came back", () => {
  const none = { rfc3550: null, ipdv_mean: null };
  assertEquals(jitterOf(), none);
  assertEquals(jitterOf([0, 100]), none);
  assertEquals(jitterOf([0, 100], [2, 300], [4, 700]), none);
});

Deno.test("JitterMeter.summary() gives 0 when the round-trip time never changes", () => {
  assertEquals(jitterOf([7, 100], [8, 100], [9, 100]), { rfc3550: 0, ipdv_mean: 0 });
});

Deno.test("JitterMeter.record() forms no pair over a loss, and goes on after it", () => {
  assertEquals(jitterOf([0, 100], [1, 116], [3, 900], [4, 932]), {
    // |D| = 16 and 32; 116 to 900 does not count.
    rfc3550: 2.938,
    ipdv_mean: 24,
  });
});

Deno.test("JitterMeter.record() leaves out a packet that comes back after a later one, or again", () => {
  const inOrder = jitterOf([0, 100], [2, 120], [3, 140]);
  assertEquals(jitterOf([0, 100], [2, 120], [1, 900], [3, 140]), inOrder);
  assertEquals(jitterOf([0, 100], [0, 500], [2, 120], [2, 700], [3, 140]), inOrder);
});

Deno.test("JitterMeter.summary() agrees with a second implementation in Python", async () => {
  const program = `import json, statistics, sys
result = []
for packets in json.load(sys.stdin):
    differences = [abs(b - a) for (i, a), (j, b) in zip(packets, packets[1:]) if j == i + 1]
    jitter = 0.0
    for difference in differences:
        jitter = (15 * jitter + difference) / 16
    result.append([jitter, statistics.fmean(differences)] if differences else None)
print(json.dumps(result))`;
  const stream = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1e6 })), { maxLength: 100 })
    .map((packets) =>
      packets.map(([lost, us], sequence) => ({ lost, packet: [sequence, us] as [number, number] }))
        .filter(({ lost }) => !lost).map(({ packet }) => packet)
    );
  const streams = fc.sample(stream, 200);
  const { text, stderr } = await run(PYTHON, ["-c", program], JSON.stringify(streams));
  assertEquals(stderr, "");
  (JSON.parse(text) as ([number, number] | null)[]).forEach((expected, index) => {
    const { rfc3550, ipdv_mean } = jitterOf(...streams[index]!);
    if (expected === null) return assertEquals([rfc3550, ipdv_mean], [null, null]);
    assertAlmostEquals(rfc3550!, expected[0], 0.001);
    assertAlmostEquals(ipdv_mean!, expected[1], 0.001);
  });
});
