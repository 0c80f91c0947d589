import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { InFlight } from "../../../../../client/bench/load/exchange/in_flight.ts";

Deno.test("InFlight is a map from ascending numbers to times", () => {
  const step = fc.record({ add: fc.boolean(), gap: fc.integer({ min: 0, max: 40 }), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(0, 2 ** 31 - 50, 2 ** 32 - 50), (steps, from) => {
      const inFlight = new InFlight();
      const model = new Map<number, number>();
      let next = from;
      for (const { add, gap, which } of steps) {
        if (add || model.size === 0) {
          next += gap;
          inFlight.add(next, next / 2);
          model.set(next, next / 2);
          next++;
        } else {
          const number = [...model.keys()][which % model.size]!;
          inFlight.remove(number);
          model.delete(number);
          assertEquals(inFlight.dueOf(number), undefined);
        }
        assertEquals([inFlight.size, inFlight.oldest], [model.size, model.keys().next().value ?? -1]);
        assertEquals([...inFlight.values()], [...model.values()]);
        for (const [number, due] of model) assertEquals(inFlight.dueOf(number), due);
        for (const number of [-1, NaN, from - 1, next]) assertEquals(inFlight.dueOf(number), undefined);
      }
      inFlight.clear();
      assertEquals([inFlight.size, inFlight.oldest, [...inFlight.values()]], [0, -1, []]);
    }),
  );
});
