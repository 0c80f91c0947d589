import { assert, assertEquals } from "@std/assert";
import { equals } from "@std/bytes/equals";
import fc from "fast-check";
import { HEADER_BYTES, ProbeFormat } from "../../../client/ping/probe.ts";
import { TEXT_PEERS } from "../../helpers/text_peers.ts";

function probesOf(format: ProbeFormat, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const probe = format.make(index + 1);
    format.stamp(probe, 1e6 * index);
    return probe;
  });
}

/** The bytes that ProbeFormat fills with its pattern. */
function fillerOf(probe: Uint8Array): Uint8Array {
  return probe.subarray(probe.length >= HEADER_BYTES ? HEADER_BYTES : 0);
}

Deno.test("ProbeFormat.make() writes session id, sequence number and send time in network byte order", () => {
  const format = new ProbeFormat(24, "1234");
  const probe = format.make(0x01020304);
  format.stamp(probe, 1.5);
  assertEquals([...probe.subarray(0, HEADER_BYTES)], [
    ...[0x31, 0x32, 0x33, 0x34],
    ...[1, 2, 3, 4],
    ...[0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
  ]);
  assertEquals([format.sequenceOf(probe), format.sentAtOf(probe)], [0x01020304, 1.5]);
});

for (const size of [1, 2, 15, 17, 40, 63, 64, 65, 272, 1040]) {
  Deno.test(`ProbeFormat.make() has few probes of ${size} bytes on end hold all byte values`, () => {
    const length = fillerOf(new Uint8Array(size)).length;
    const few = Math.ceil(256 / Math.max(length - 1, 1));
    const seen = new Set(probesOf(new ProbeFormat(size), few).flatMap((probe) => [...fillerOf(probe)]));
    assertEquals(seen.size, 256);
  });
}

Deno.test("ProbeFormat.make() has each probe of 64 bytes or more hold letters, control characters and high bytes", () => {
  const groups: [from: number, to: number][] = [[0x61, 0x7a], [0x41, 0x5a], [0x00, 0x1f], [0x80, 0xff], [0x30, 0x39]];
  for (const size of [64, 100, 1472]) {
    for (const probe of probesOf(new ProbeFormat(size), 256)) {
      for (const [from, to] of groups) {
        assert(fillerOf(probe).some((byte) => byte >= from && byte <= to), `${size} bytes: none of ${[from, to]}`);
      }
    }
  }
});

for (const size of [1, 15, 64, 65, 272, 528, 1040]) {
  Deno.test(`ProbeFormat.make() has each of 256 probes of ${size} bytes on end differ in every byte of its filler`, () => {
    const format = new ProbeFormat(size);
    const first = fillerOf(format.make(1));
    for (let sequence = 2; sequence <= 256; sequence++) {
      assert(fillerOf(format.make(sequence)).every((byte, index) => byte !== first[index]), `probe ${sequence}`);
    }
    assertEquals(fillerOf(format.make(257)), first);
  });
}

for (const [name, treat] of Object.entries(TEXT_PEERS)) {
  Deno.test(`ProbeFormat.make() makes probes of 64 bytes that a peer changes which ${name}`, () => {
    const changed = probesOf(new ProbeFormat(64), 6).filter((probe) => !equals(treat(probe), probe));
    // A line feed is one value of 256: one probe of a few has it.
    assert(name.includes("LF") ? changed.length >= 1 : changed.length === 6, `${changed.length} of 6`);
  });
}

Deno.test("ProbeFormat.firstDifference() finds a changed, a missing and an additional byte", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 1000 }),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    (size, sequence, where, change) => {
      const format = new ProbeFormat(size);
      const probe = format.make(sequence);
      format.stamp(probe, 42);
      assertEquals(format.firstDifference(probe, sequence, 42), undefined);
      assertEquals(format.firstDifference(probe.subarray(0, size - 1), sequence, 42), size - 1);
      assertEquals(format.firstDifference(Uint8Array.of(...probe, 0), sequence, 42), size);
      probe[where % size]! ^= change;
      assertEquals(format.firstDifference(probe, sequence, 42), where % size);
    },
  ));
});

Deno.test("ProbeFormat.sequenceOf() reads answers of its own session only", () => {
  const format = new ProbeFormat(64, "1234");
  const probe = format.make(7);
  assertEquals(format.sequenceOf(probe), 7);
  assertEquals(format.sequenceOf(probe.subarray(0, 8)), 7);
  assertEquals(format.sequenceOf(probe.subarray(0, 7)), undefined);
  assertEquals(new ProbeFormat(64, "1235").sequenceOf(probe), undefined);
  assertEquals(format.sentAtOf(probe.subarray(0, 15)), NaN);
});

Deno.test("ProbeFormat.remainderOf() tells 256 probes without a header apart, and empty ones not at all", () => {
  for (const size of [1, 2, 8, 15]) {
    const format = new ProbeFormat(size);
    for (const sequence of [1, 2, 255, 256, 257, 1000]) {
      assertEquals(format.remainderOf(format.make(sequence)), sequence % format.period);
    }
    assertEquals(format.remainderOf(new Uint8Array(size + 1)), undefined);
    assertEquals(format.remainderOf(new Uint8Array(0)), undefined);
  }
  assertEquals(new ProbeFormat(15).remainderOf(new Uint8Array(15)), undefined);
  const empty = new ProbeFormat(0);
  assertEquals([empty.period, empty.remainderOf(empty.make(5)), empty.remainderOf(Uint8Array.of(1))], [
    1,
    0,
    undefined,
  ]);
});

Deno.test("ProbeFormat.findNext() finds where the next probe begins, also one that is not whole yet", () => {
  const format = new ProbeFormat(32, "1234");
  const bytes = new Uint8Array([...format.make(3).subarray(10), ...format.make(4)]);
  assertEquals(format.isOurs(bytes), false);
  assertEquals(format.findNext(bytes), 22);
  assertEquals(format.isOurs(bytes.subarray(22)), true);
  assertEquals(format.findNext(bytes.subarray(0, 24)), 22);
  assertEquals(format.findNext(bytes.subarray(0, 20)), 20);
});
