import { assertEquals } from "@std/assert";
import { connectPeer, connectPing, ping } from "../../client/mod.ts";
import { startServer } from "../../server/mod.ts";
import { places } from "./fixtures.ts";

for (const place of places) {
  place.test("a peer gets each message back, and its conversation ends with quit where that is one", async (folder) => {
    await using server = await startServer({ endpoints: [place.endpoint(folder)] });
    await using peer = await connectPeer(server.endpoints[0]!, { timeout: 5000, retries: 0 });
    for (const text of ["메아리", "", "a".repeat(1500), "quit"]) {
      const bytes = new TextEncoder().encode(text);
      assertEquals(await peer.exchange(bytes), { bytes });
    }
    if (place.row.kind !== "datagram") assertEquals(await peer.ended, undefined);
  });

  place.test("a ping gets each answer, of a message and, where there are any, of a connection", async (folder) => {
    await using server = await startServer({ endpoints: [place.endpoint(folder)] });
    for (const measure of place.row.kind === "datagram" ? [ping] : [ping, connectPing]) {
      const { summary } = await measure(server.endpoints[0]!, { count: 3, interval: 5 });
      assertEquals([summary.sent, summary.received, summary.corrupted], [3, 3, 0]);
    }
  });
}
