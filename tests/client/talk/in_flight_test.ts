import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InFlight } from "../../../client/talk/in_flight.ts";
import { EchoError } from "../../../lib/errors.ts";
import { bounded } from "../../helpers/bounded.ts";
import { noise } from "../../helpers/streams.ts";

const MiB = 1024 * 1024;

Deno.test("InFlight.compare() finds the byte that differs however what was sent and what came is cut", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(cuts, cuts, fc.nat({ max: 999 }), (sentCuts, cameCuts, place) => {
    const bytes = noise(1000);
    const inFlight = new InFlight();
    for (const chunk of pieces(bytes, sentCuts)) inFlight.add(chunk);
    const came = pieces(bytes.with(place, bytes[place]! ^ 1), cameCuts);
    const error = assertThrows(() => came.forEach((piece) => inFlight.compare(piece)), EchoError);
    assertEquals(error.message, `what came back differs at byte ${place + 1}`);
  }));
});

Deno.test("InFlight.compare() fails when more comes back than was sent", () => {
  const inFlight = new InFlight();
  inFlight.add(noise(10));
  inFlight.compare(noise(10));
  const error = assertThrows(() => inFlight.compare(noise(1)), EchoError);
  assertEquals(error.message, "more came back than was sent: byte 11");
});

bounded("InFlight.room() waits while 64 MiB are in flight", async () => {
  const chunk = noise(MiB);
  const inFlight = new InFlight();
  for (let i = 0; i < 64; i++) {
    await inFlight.room();
    inFlight.add(chunk);
  }
  let waited = true;
  const room = inFlight.room().then(() => waited = false);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([inFlight.isFull, waited], [true, true]);
  inFlight.compare(chunk.subarray(0, 1));
  await room;
  assertEquals(inFlight.isFull, false);
});

/** Cuts bytes into pieces of these lengths in turn. */
function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  for (let done = 0; done < bytes.length; done += cut.at(-1)!.length) {
    cut.push(bytes.subarray(done, done + lengths[cut.length % lengths.length]!));
  }
  return cut;
}
