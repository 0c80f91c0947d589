import { assert, assertEquals } from "@std/assert";
import { EchoError } from "../../../../lib/errors.ts";
import { EndpointError, type InetAddress, type MessageConn } from "../../../../lib/transport/mod.ts";
import { messageChannel } from "../../../../client/ping/channel/channel.ts";
import { bounded } from "../../../helpers/bounded.ts";
import { systemError } from "../../../helpers/errors.ts";
import { framed } from "../../../helpers/framed.ts";
import { ownTransport } from "../../../helpers/own_transport.ts";

const address: InetAddress = { transport: "udp", hostname: "127.0.0.1", port: 7 };
const endpoint = { transport: "udp", host: "127.0.0.1", port: 7 };

/** A conversation whose receive and send end as they are told: no socket here is told of a closed port on every system. */
function connOf(receive: MessageConn["receive"], send: MessageConn["send"] = () => Promise.resolve()): MessageConn {
  return { localAddr: address, remoteAddr: address, receive, send, close() {} };
}

const never = () => new Promise<never>(() => {});

bounded("messageChannel() ends when receiving tells that nobody listens at the port", async () => {
  const conn = connOf(() => Promise.reject(systemError("ECONNREFUSED")));
  const failure = await messageChannel(conn, endpoint, { onAnswer() {} }).ended;
  assert(failure instanceof EndpointError);
  assertEquals([failure.message, failure.exitCode], ["cannot send to udp://127.0.0.1:7: connection refused", 1]);
});

bounded("messageChannel() ends with the reason when a connection breaks", async () => {
  using _row = ownTransport("framed", framed);
  const conn = connOf(() => Promise.reject(systemError("ECONNRESET")));
  const failure = await messageChannel(conn, { ...endpoint, transport: "framed" }, { onAnswer() {} }).ended;
  assert(failure instanceof EchoError);
  assertEquals([failure.message, failure.exitCode], ["connection reset by the peer", 3]);
});

bounded(
  "messageChannel() ends when sending tells that nobody is there, and not when one probe cannot be sent",
  async () => {
    const failures = [systemError("EMSGSIZE"), systemError("ECONNREFUSED")];
    const channel = messageChannel(connOf(never, () => Promise.reject(failures.shift())), endpoint, { onAnswer() {} });
    const thrown = await channel.send(new Uint8Array(1)).catch((error) => error);
    assertEquals(thrown.message, "EMSGSIZE happened");
    await channel.send(new Uint8Array(1));
    assertEquals((await channel.ended).message, "cannot send to udp://127.0.0.1:7: connection refused");
  },
);

bounded("messageChannel() ends when the server ends the conversation", async () => {
  const channel = messageChannel(connOf(() => Promise.resolve(null)), endpoint, { onAnswer() {} });
  const failure = await channel.ended;
  assert(failure instanceof EchoError);
  assertEquals([failure.message, failure.exitCode], ["the server closed the connection", 3]);
});

bounded("messageChannel() gives up where less is taken than is sent", async () => {
  const channel = messageChannel(connOf(never, never), endpoint, { onAnswer() {} });
  const probe = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 65; i++) channel.send(probe);
  assertEquals((await channel.ended).message, "the server takes less than is sent: 64 MiB wait");
});
