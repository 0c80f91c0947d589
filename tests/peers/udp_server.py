"""The UDP server of the blog post that meari comes from, with its bugs mended.

    udp_server.py [HOST [PORT]]

It echoes one datagram and ends. With port 0 the kernel chooses one; the port is written to stderr. What was mended: the
misspelt recvfrom, a buffer that cut datagrams off after 200 bytes, and that the client was never answered.
"""

import socket
import sys

HOST = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1'
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 65456

sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)

print('> 서버 활성화')
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server_socket:
    server_socket.bind((HOST, PORT))
    print(server_socket.getsockname()[1], file=sys.stderr, flush=True)
    message, client_address = server_socket.recvfrom(65536)
    server_socket.sendto(message, client_address)
print('> 서버 비활성화')
