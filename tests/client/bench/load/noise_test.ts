import { assert, assertEquals } from "@std/assert";
import { isSame, LONGEST_PIECE, makeNoise, PERIOD } from "../../../../client/bench/load/noise.ts";

Deno.test("makeNoise() repeats and holds no q", () => {
  const noise = makeNoise();
  assertEquals(noise.length, PERIOD + LONGEST_PIECE);
  assert(isSame(noise.subarray(PERIOD, 2 * PERIOD), noise.subarray(0, noise.length - PERIOD).subarray(0, PERIOD)));
  assertEquals(noise.indexOf("q".charCodeAt(0)), -1);
  assert(new Set(noise).size > 200);
});

Deno.test("isSame() sees every byte", () => {
  const bytes = makeNoise().slice(0, 1000);
  for (let at = 0; at < bytes.length; at++) {
    const other = bytes.slice();
    other[at]! ^= 1;
    assert(!isSame(bytes, other));
  }
  assert(isSame(bytes, bytes.slice()));
  assert(!isSame(bytes, bytes.subarray(1)));
});
