import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Address, DatagramSocket } from "../../../lib/transport/mod.ts";
import { echoDatagrams } from "../../../server/services/datagram_echo.ts";
import { systemError } from "../../helpers/errors.ts";

const CLIENT: Address = { transport: "udp", hostname: "127.0.0.1", port: 50_000 };

/** A socket that receives what a script says, or fails so, and whose sends fail where the script says. */
class ScriptedSocket implements DatagramSocket {
  readonly addr: Address = { transport: "udp", hostname: "127.0.0.1", port: 7 };
  readonly sent: [bytes: number[], to: Address][] = [];
  closed = false;
  #receives: (Uint8Array | Error)[];
  #sends: (Error | undefined)[];

  constructor(receives: (Uint8Array | Error)[], sends: (Error | undefined)[] = []) {
    this.#receives = [...receives];
    this.#sends = [...sends];
  }

  async receive(buffer: Uint8Array): Promise<[Uint8Array, Address]> {
    await Promise.resolve();
    const step = this.#receives.shift();
    if (step === undefined) this.close();
    if (this.closed) throw new Deno.errors.BadResource("closed");
    if (step instanceof Error) throw step;
    buffer.set(step!);
    return [buffer.subarray(0, step!.length), CLIENT];
  }

  async send(bytes: Uint8Array, to: Address): Promise<number> {
    await Promise.resolve();
    const error = this.#sends.shift();
    if (this.closed) throw new Deno.errors.BadResource("closed");
    if (error) throw error;
    this.sent.push([[...bytes], to]);
    return bytes.length;
  }

  close(): void {
    this.closed = true;
  }
}

/** Echoes until the script is over, or as many datagrams as asked for, and notes what was told, in order. */
async function run(socket: ScriptedSocket, most = Infinity, onFailure = () => {}): Promise<string[]> {
  const told: string[] = [];
  let count = 0;
  await echoDatagrams(socket, {
    isClosed: () => socket.closed,
    onEcho: (datagram, from) => {
      assertEquals(from, CLIENT);
      told.push(`echoed ${datagram.length}`);
      return ++count < most;
    },
    onFailure: async (operation, error, from) => {
      await Promise.resolve();
      told.push(`${operation} ${(error as { code?: string }).code} ${from === CLIENT ? "client" : "nobody"}`);
      onFailure();
    },
  });
  return told;
}

Deno.test("echoDatagrams() sends each datagram back unchanged to its sender when they are any", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2000, size: "max" })), async (datagrams) => {
    const socket = new ScriptedSocket(datagrams);
    const told = await run(socket);
    assertEquals(socket.sent, datagrams.map((bytes) => [[...bytes], CLIENT]));
    assertEquals(told, datagrams.map(({ length }) => `echoed ${length}`));
  }));
});

Deno.test("echoDatagrams() has room for the largest datagram there is when one comes", async () => {
  const socket = new ScriptedSocket([new Uint8Array(65_527).fill(7)]);
  assertEquals(await run(socket), ["echoed 65527"]);
});

Deno.test("echoDatagrams() stops when onEcho says so", async () => {
  const socket = new ScriptedSocket([new Uint8Array(1), new Uint8Array(2), new Uint8Array(3)]);
  assertEquals(await run(socket, 2), ["echoed 1", "echoed 2"]);
  assertEquals(socket.closed, false);
});

Deno.test("echoDatagrams() tells whom it could not answer and goes on when a send fails", async () => {
  const sends = [undefined, systemError("ECONNREFUSED"), undefined];
  const socket = new ScriptedSocket([new Uint8Array(1), new Uint8Array(2), new Uint8Array(3)], sends);
  assertEquals(await run(socket), ["echoed 1", "send ECONNREFUSED client", "echoed 3"]);
  assertEquals(socket.sent.map(([bytes]) => bytes.length), [1, 3]);
});

Deno.test("echoDatagrams() tells of it and goes on when a receive fails", async () => {
  const socket = new ScriptedSocket([systemError("ENOBUFS"), new Uint8Array(1), systemError("EIO"), new Uint8Array(2)]);
  assertEquals(await run(socket), ["receive ENOBUFS nobody", "echoed 1", "receive EIO nobody", "echoed 2"]);
});

Deno.test("echoDatagrams() awaits onFailure before it tries again when a receive fails", async () => {
  const socket = new ScriptedSocket([systemError("ENOBUFS"), new Uint8Array(1)]);
  assertEquals(await run(socket, Infinity, () => socket.close()), ["receive ENOBUFS nobody"]);
});

Deno.test("echoDatagrams() ends without a word when the socket is closed between receive and send", async () => {
  const socket = new ScriptedSocket([new Uint8Array(1)]);
  const send = socket.send.bind(socket);
  socket.send = (bytes, to) => {
    socket.close();
    return send(bytes, to);
  };
  assertEquals(await run(socket), []);
});
