import { assert, assertEquals } from "@std/assert";
import { isSame, LONGEST_PIECE, makeNoise, PERIOD } from "../../../../../client/bench/load/exchange/noise.ts";

Deno.test("makeNoise() repeats and holds no q", () => {
  const noise = makeNoise();
  assertEquals(noise.length, PERIOD + LONGEST_PIECE);
  assert(isSame(noise, PERIOD, noise, 0, LONGEST_PIECE));
  assertEquals(noise.indexOf("q".charCodeAt(0)), -1);
  assert(new Set(noise).size > 200);
});

Deno.test("isSame() sees every byte, and none besides", () => {
  const noise = makeNoise();
  for (const length of [1, 10, 64, 65, 1000]) {
    const bytes = noise.slice(0, length);
    for (let at = 0; at < length; at++) {
      const other = new Uint8Array([7, ...bytes, 7]);
      assert(isSame(bytes, 0, other, 1, length));
      other[1 + at]! ^= 1;
      assert(!isSame(bytes, 0, other, 1, length));
      assert(isSame(bytes, at + 1, other, at + 2, length - at - 1));
    }
  }
});
