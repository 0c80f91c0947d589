import { assertEquals, assertRejects } from "@std/assert";
import { errorCode } from "../../../lib/errors.ts";
import { DatagramConn } from "../../../lib/transport/datagram_conn.ts";
import type { Address, DatagramSocket } from "../../../lib/transport/mod.ts";
import { systemError } from "../../helpers/errors.ts";

const PEER: Address = { transport: "udp", hostname: "192.0.2.1", port: 7 };
const STRANGER: Address = { transport: "udp", hostname: "192.0.2.2", port: 7 };

/** A socket whose sends a test ends by hand, and whose datagrams it gives. */
class HandSocket implements DatagramSocket {
  readonly addr: Address = { transport: "udp", hostname: "0.0.0.0", port: 50_000 };
  readonly sends: { bytes: Uint8Array; to: Address; resolve: (count: number) => void; reject: (why: Error) => void }[] =
    [];
  readonly arrived: [Uint8Array, Address][] = [];
  closed = false;

  receive(): Promise<[Uint8Array, Address]> {
    return Promise.resolve(this.arrived.shift()!);
  }

  send(bytes: Uint8Array, to: Address): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.sends.push({ bytes, to, resolve, reject });
    return promise;
  }

  close(): void {
    this.closed = true;
  }
}

function talk(): { socket: HandSocket; conn: DatagramConn } {
  const socket = new HandSocket();
  const isPeer = (from: Address) => "hostname" in from && from.hostname === "192.0.2.1";
  return { socket, conn: new DatagramConn(socket, PEER, isPeer) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("send() begins when the one before has ended, well or not, and all go to the peer", async () => {
  const { socket, conn } = talk();
  const sending = [1, 2, 3].map((i) => conn.send(new Uint8Array([i])));
  await settled();
  assertEquals(socket.sends.length, 1);
  socket.sends[0]!.resolve(1);
  await sending[0];
  await settled();
  assertEquals(socket.sends.length, 2);
  const failed = assertRejects(() => sending[1]!, Error, "EPERM");
  socket.sends[1]!.reject(systemError("EPERM"));
  await failed;
  await settled();
  assertEquals(socket.sends.length, 3);
  socket.sends[2]!.resolve(1);
  await sending[2];
  assertEquals(socket.sends.map(({ bytes, to }) => [bytes[0], to]), [[1, PEER], [2, PEER], [3, PEER]]);
});

Deno.test("send() goes out within the call when none waits", async () => {
  const { socket, conn } = talk();
  for (let i = 0; i < 2; i++) {
    const sending = conn.send(new Uint8Array(1));
    assertEquals(socket.sends.length, i + 1);
    socket.sends[i]!.resolve(1);
    await sending;
    await settled();
  }
});

Deno.test("receive() gives the next datagram of the peer when others send, too", async () => {
  const { socket, conn } = talk();
  socket.arrived.push([new Uint8Array([1]), STRANGER], [new Uint8Array(0), PEER], [new Uint8Array([2]), PEER]);
  assertEquals(await conn.receive(new Uint8Array(9)), new Uint8Array(0));
  assertEquals(await conn.receive(new Uint8Array(9)), new Uint8Array([2]));
});

Deno.test("receive() says that it is refused when the system says so, or takes that for a reset as Windows does", async () => {
  for (const [code, told] of [["ECONNREFUSED", "ECONNREFUSED"], ["ECONNRESET", "ECONNREFUSED"], ["EIO", "EIO"]]) {
    const { socket, conn } = talk();
    socket.receive = () => Promise.reject(systemError(code!));
    assertEquals(errorCode(await assertRejects(() => conn.receive(new Uint8Array(9)), Error)), told);
  }
});

Deno.test("close() closes the socket, whose address was the conversation's, when it is called", () => {
  const { socket, conn } = talk();
  assertEquals([conn.localAddr, conn.remoteAddr], [socket.addr, PEER]);
  conn.close();
  assertEquals(socket.closed, true);
});
