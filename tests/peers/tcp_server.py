"""The TCP echo server of the blog post that meari comes from, with its bugs mended.

    tcp_server.py [HOST [PORT]]

It serves one client and ends when that says "quit" or goes. With port 0 the kernel chooses one; the port is written to
stderr. What was mended: a character split between two reads is decoded whole, a client that goes away ends the server
instead of keeping it busy for ever, and the port can be used again at once.
"""

import codecs
import socket
import sys

HOST = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1'
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 65456

sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)

print('> 에코 서버 활성화')
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server_socket:
    server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server_socket.bind((HOST, PORT))
    server_socket.listen()
    print(server_socket.getsockname()[1], file=sys.stderr, flush=True)
    client_socket, client_address = server_socket.accept()
    with client_socket:
        print('> client connected by IP address {0} with Port number {1}'.format(*client_address))
        decoder = codecs.getincrementaldecoder('utf-8')(errors='replace')
        while True:
            received = client_socket.recv(1024)
            if not received:
                break
            text = decoder.decode(received)
            if text:
                print('> echoed:', text)
            client_socket.sendall(received)
            if received in (b'quit', b'quit\n', b'quit\r\n'):
                break
print('> 에코 서버 비활성화')
