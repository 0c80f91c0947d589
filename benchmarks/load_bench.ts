/** What `meari bench` does with each answer besides receiving it. */

import { isSame, makeNoise } from "../client/bench/load/exchange/noise.ts";
import { LatencyRecorder } from "../client/measure/latency.ts";

const recorder = new LatencyRecorder();
const latencies = Array.from({ length: 1024 }, () => Math.round(1e4 * 10 ** (3 * Math.random())));
let number = 0;
Deno.bench("LatencyRecorder.record()", () => {
  recorder.record(latencies[number++ & 1023]!);
});

const noise = makeNoise();
for (const size of [64, 65_536]) {
  const received = noise.slice(1, 1 + size);
  Deno.bench(`isSame(), ${size} bytes`, () => {
    isSame(received, 0, noise, 1, size);
  });
}
