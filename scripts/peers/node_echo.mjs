// Node's own echo over TCP and UDP, as its documentation would have it. Prints the two ports.
import dgram from "node:dgram";
import net from "node:net";

const tcp = net.createServer({ noDelay: true }, (socket) => {
  socket.on("data", (data) => socket.write(data));
  socket.on("error", () => socket.destroy());
});
const udp = dgram.createSocket("udp4");
udp.on("message", (message, from) => udp.send(message, from.port, from.address));
tcp.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  udp.bind(0, "127.0.0.1", () => console.log(`${tcp.address().port} ${udp.address().port}`));
});
