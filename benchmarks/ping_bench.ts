/** What `meari ping` does with each probe besides sending it, and with each answer besides receiving it. */

import { ProbeFormat } from "../client/ping/probe.ts";

for (const size of [64, 65_507]) {
  const format = new ProbeFormat(size);
  const answer = format.make(7);
  format.stamp(answer, 1e9);
  let sequence = 0;
  Deno.bench(`ProbeFormat.make(), ${size} bytes`, () => {
    format.make(sequence++);
  });
  Deno.bench(`ProbeFormat.firstDifference(), ${size} bytes, none`, () => {
    format.firstDifference(answer, 7, 1e9);
  });
}
