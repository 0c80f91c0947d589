"""Connections that send a random stream, and look at each byte that comes back."""

import socket
import struct

from tasks import IN, OUT, Wrong

# How long anything that must come may take, in seconds.
PATIENCE = 10

# A stream may have as many bytes, and begins anywhere in twice as many random ones.
LONGEST = 2 << 20


class Stream:
    """A connection, and what was sent and has come back over it."""

    def __init__(self, rng, noise):
        self.rng = rng
        start = rng.randrange(LONGEST)
        self.bytes = memoryview(noise)[start : start + LONGEST]
        self.sent = self.received = 0
        # Whether all that the server read of it was echoed whole.
        self.is_exact = False

    def open(self, host, is_narrow):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if is_narrow or self.rng.random() < 0.3:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rng.choice([16384, 65536]))
        if is_narrow or self.rng.random() < 0.3:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.rng.choice([1, 16384, 65536]))
        if is_narrow:
            # The larger a segment may be, the more the system buffers, on the other side as well.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
        if self.rng.random() < 0.5:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.sock

    def connect(self, address):
        try:
            self.sock.connect(address)
        except BlockingIOError:
            if not (yield OUT, PATIENCE):
                raise Wrong("cannot connect in time")
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connecting failed")

    def exchange(self, length, back=None):
        """Sends so many bytes more in random pieces, until so many of all have come back; all, if not said."""
        goal = self.sent + length
        back = goal if back is None else min(back, goal)
        while self.sent < goal or self.received < back:
            events = (OUT if self.sent < goal else 0) | (IN if self.received < back else 0)
            # Who reads no more may have blocked the server, which then takes no more.
            may_block = self.received == back < goal
            happened = yield events, 0.1 if may_block else PATIENCE
            if not happened and may_block:
                return
            if not happened:
                raise Wrong(f"stuck with {self.sent} bytes sent and {self.received} received of {goal} and {back}")
            if happened & IN:
                self.take(back)
            if happened & OUT:
                self.give(goal)

    def give(self, goal):
        piece = min(self.rng.choice([1, 2, 7, 100, 1460, 4096, 65535, 65536, 300000]), goal - self.sent)
        try:
            self.sent += self.sock.send(self.bytes[self.sent : self.sent + piece])
        except BlockingIOError:
            pass

    def take(self, back):
        try:
            got = self.sock.recv(min(self.rng.choice([1, 100, 4096, 65536, 262144]), back - self.received))
        except BlockingIOError:
            return
        if not got:
            raise Wrong(f"the stream ended after {self.received} bytes of {self.sent}")
        expected = self.bytes[self.received : self.received + len(got)]
        if got != expected:
            at = next(i for i, byte in enumerate(got) if byte != expected[i])
            raise Wrong(f"byte {self.received + at} of {self.sent} is {got[at]} and not {expected[at]}")
        self.received += len(got)

    def block(self):
        """Sends and reads nothing, until the server takes no more for a moment: it cannot write itself."""
        while self.sent < LONGEST and (yield OUT, 0.1):
            self.give(LONGEST)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def finish(self):
        """Ends this half, and reads the rest to the server's end, sometimes later."""
        self.sock.shutdown(socket.SHUT_WR)
        if self.rng.random() < 0.1:
            yield 0, self.rng.random() / 2
        yield from self.exchange(0)
        yield from self.end()
        self.is_exact = True

    def end(self):
        """Reads the server's end."""
        while True:
            if not (yield IN, PATIENCE):
                raise Wrong("the server did not end the stream")
            try:
                rest = self.sock.recv(65536)
            except BlockingIOError:
                continue
            if rest:
                raise Wrong(f"{len(rest)} bytes came after all {self.sent}")
            return

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def size(self):
        return self.rng.choice([0, 1, 2, 100, 1024, 5000, 65535, 65536, 65537, 262144, self.rng.randrange(400000)])


def polite(stream):
    for _ in range(stream.rng.randrange(4)):
        yield from stream.exchange(min(stream.size(), LONGEST - stream.sent))
        if stream.rng.random() < 0.3:
            yield 0, stream.rng.random() / 2
    yield from stream.finish()


def ping_pong(stream):
    for _ in range(stream.rng.randrange(1, 50)):
        yield from stream.exchange(stream.rng.choice([1, 2, 64]))
    yield from stream.finish()


def half_closed_early(stream):
    """Its end comes with what it sends, before anything was read."""
    yield from stream.exchange(min(stream.size(), 65536), 0)
    yield from stream.finish()


def gone(stream):
    """Connects, and is closed or reset, sometimes at once."""
    if stream.rng.random() < 0.5:
        yield 0, stream.rng.random() / 5
    if stream.rng.random() < 0.5:
        stream.reset()


def broken_off(stream):
    """Is closed or reset within a message, with some of it unread."""
    length = stream.size()
    yield from stream.exchange(length, stream.rng.randrange(length + 1))
    if stream.rng.random() < 0.5:
        stream.reset()


def blocked(stream):
    """Does not read until the server is blocked; then it does, or goes."""
    yield from stream.block()
    yield 0, stream.rng.random() / 2
    end = stream.rng.randrange(4)
    if end == 0:
        stream.reset()
    elif end == 1:
        yield from stream.exchange(0, stream.received + stream.rng.randrange(100000))
    else:
        yield from stream.finish()


def quitting(stream):
    """Ends with `quit` alone as a message; what comes after it is not echoed."""
    yield from stream.exchange(stream.size())
    quit = stream.rng.choice([b"quit", b"quit\n", b"quit\r\n"])
    stream.sock.send(quit)
    # As if it were a part of the stream.
    stream.bytes = bytes(stream.received) + quit
    stream.sent += len(quit)
    yield from stream.exchange(0)
    if stream.rng.random() < 0.5:
        stream.sock.send(b"more")
    yield from stream.end()
    if stream.rng.random() < 0.5:
        # The server does not wait for ever for this half.
        yield 0, 1.5
    stream.is_exact = True


# Each with how often it is to be among ten.
PLANS = [(polite, 3), (ping_pong, 1), (half_closed_early, 1), (gone, 1), (broken_off, 2), (blocked, 1), (quitting, 1)]


def steps(stream, plan, address, delay, counts):
    """All that happens to a connection, from before it is there."""
    yield 0, delay
    yield from stream.connect(address)
    counts["connections"] += 1
    try:
        yield from plan(stream)
    finally:
        counts["most"] += stream.sent
        counts["least"] += stream.received if stream.is_exact else 0


def start(tasks, name, rng, noise, address, delay, counts):
    stream = Stream(rng, noise)
    [plan] = rng.choices([plan for plan, _ in PLANS], [often for _, often in PLANS])
    tasks.start(f"{name}, {plan.__name__}", stream.open(address[0], plan is blocked), steps(stream, plan, address, delay, counts))
