"""The UDP client of the blog post that meari comes from, with its bugs mended.

    udp_client.py [HOST [PORT]]

It sends one datagram and awaits its echo, for five seconds at the most; where that is missing or different it exits
with 1. What was mended: the socket was a TCP socket, the message was text and not bytes, and nobody looked for the echo.
"""

import socket
import sys

HOST = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1'
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 65456
MESSAGE = 'message'.encode('utf-8')

sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)

print('> 클라이언트 활성화')
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client_socket:
    client_socket.settimeout(5)
    client_socket.sendto(MESSAGE, (HOST, PORT))
    try:
        echo, _ = client_socket.recvfrom(65536)
    except socket.timeout:
        sys.exit('no echo within 5 seconds')
    if echo != MESSAGE:
        sys.exit('the echo is not the message')
print('> 클라이언트 비활성화')
