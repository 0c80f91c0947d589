"""Python asyncio's echo over TCP and UDP. Prints the two ports."""
import asyncio


class Tcp(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Udp(Tcp, asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def main():
    loop = asyncio.get_running_loop()
    udp, _ = await loop.create_datagram_endpoint(Udp, local_addr=("127.0.0.1", 0))
    server = await loop.create_server(Tcp, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    print(port, udp.get_extra_info("sockname")[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
