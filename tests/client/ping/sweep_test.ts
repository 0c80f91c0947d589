import { assert, assertEquals, assertRejects } from "@std/assert";
import { EndpointError } from "../../../lib/transport/mod.ts";
import { sweep, type SweepRow } from "../../../client/ping/sweep.ts";
import { bounded } from "../../helpers/bounded.ts";
import { type Fault, faultyUdpPeer } from "../../helpers/faulty_udp_peer.ts";
import { TempFolder } from "../../helpers/temp_folder.ts";

/** A peer that answers datagrams of up to so many bytes. */
function limitedPeer(limit: number) {
  const fault: Fault = (datagram) => datagram.length <= limit ? [datagram] : [];
  return faultyUdpPeer(Array<Fault>(1000).fill(fault));
}

bounded("sweep() narrows the largest size down to the byte", async () => {
  await using peer = limitedPeer(1234);
  const rows: SweepRow[] = [];
  const result = await sweep(peer.endpoint, { min: 1, max: 3000 }, {
    count: 2,
    wait: 60,
    onRow: (row) => rows.push(row),
  });
  assertEquals([result.largest_bytes, result.loss_from_bytes], [1234, 1235]);
  assert(result.sweep.every(({ bytes, received, lost }) => bytes <= 1234 ? received === 2 : lost === 2));
  assertEquals(rows.sort((a, b) => a.bytes - b.bytes), result.sweep);
});

bounded("sweep() goes on with what it found when it is ended early", async () => {
  await using peer = limitedPeer(1000);
  const stop = new AbortController();
  const result = await sweep(peer.endpoint, { min: 10, max: 50, step: 10 }, {
    count: 1,
    signal: stop.signal,
    onRow: ({ bytes }) => bytes === 30 && stop.abort(),
  });
  assertEquals([result.sweep.map(({ bytes }) => bytes), result.largest_bytes], [[10, 20, 30], 30]);
});

bounded("sweep() leaves off with the signal's reason when that comes before the first size is done", async () => {
  const stop = new AbortController();
  const stopped: Fault = () => {
    stop.abort(new Error("enough"));
    return [];
  };
  await using peer = faultyUdpPeer([stopped]);
  const sweeping = sweep(peer.endpoint, { min: 10, max: 50 }, { wait: 600_000, signal: stop.signal });
  await assertRejects(() => sweeping, Error, "enough");
});

bounded("sweep() fails, at once, when nobody is at the path of a Unix datagram socket", async () => {
  using folder = new TempFolder();
  const rows: SweepRow[] = [];
  const endpoint = { transport: "unixgram", path: folder.file("server.sock") };
  const sweeping = sweep(endpoint, { min: 1, max: 1000 }, { wait: 600_000, onRow: (row) => rows.push(row) });
  await assertRejects(() => sweeping, EndpointError, "no such file or directory");
  assertEquals(rows, []);
}, { ignore: Deno.build.os === "windows" });

bounded("sweep() tells why datagrams of a size could not be sent", async () => {
  await using peer = limitedPeer(65_507);
  const { sweep: rows } = await sweep(peer.endpoint, { min: 100, max: 65_508, step: 65_408 }, { count: 1, wait: 100 });
  assertEquals(rows.map(({ received, error }) => [received, error]), [
    [1, undefined],
    [0, "message too long"],
  ]);
});

bounded("sweep() tells of what came back corrupted", async () => {
  const fault: Fault = (datagram) => [datagram.length > 20 ? datagram.with(18, 0) : datagram];
  await using peer = faultyUdpPeer(Array<Fault>(10).fill(fault));
  const { sweep: rows } = await sweep(peer.endpoint, { min: 10, max: 30, step: 20 }, { count: 2, wait: 100 });
  assertEquals(rows.map(({ received, lost, corrupted }) => [received, lost, corrupted]), [
    [2, 0, undefined],
    [0, 2, 2],
  ]);
});
