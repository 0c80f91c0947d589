"""The TCP echo client of the blog post that meari comes from, with its bugs mended.

    tcp_client.py [HOST [PORT]]

It sends each line that it reads, without the line end, and prints the echo; it ends after "quit" or the last line.
What was mended: an echo is complete when as many bytes have come back as went out, however many reads that takes; an
empty line, which cannot be sent over TCP, is not waited for; the end of the input and a server that goes away are no
crashes.
"""

import socket
import sys

HOST = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1'
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 65456

sys.stdin.reconfigure(encoding='utf-8')
sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)


def receive(client_socket, length):
    parts = []
    while length > 0:
        part = client_socket.recv(min(length, 65536))
        if not part:
            sys.exit('the server closed the connection, {0} bytes short'.format(length))
        parts.append(part)
        length -= len(part)
    return b''.join(parts)


print('> 에코 클라이언트 활성화')
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client_socket:
    client_socket.connect((HOST, PORT))
    while True:
        try:
            message = input('> ')
        except EOFError:
            break
        data = message.encode('utf-8')
        client_socket.sendall(data)
        print('> received:', receive(client_socket, len(data)).decode('utf-8', errors='replace'))
        if message == 'quit':
            break
print('> 에코 클라이언트 비활성화')
