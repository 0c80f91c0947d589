"""Sockets that send random datagrams, and look for each of them among what comes back."""

import collections
import socket

from tasks import IN, Wrong

# How long an answer that must come may take, in seconds.
PATIENCE = 10

# How many bytes of buffers all sockets may have under way where nothing may be lost; a datagram takes some of its own.
BUDGET = 320 * 1024


def weight(length):
    return 2 * length + 2048


class Datagrams:
    """A socket, and what it has sent and not got back yet."""

    def __init__(self, rng, noise, address, counts, budget):
        self.rng, self.noise, self.address, self.counts, self.budget = rng, noise, address, counts, budget
        six = ":" in address[0]
        self.longest = 65527 if six else 65507
        self.sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.room = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self.is_connected = rng.random() < 0.5
        if self.is_connected:
            self.sock.connect(address)
        self.under_way = collections.Counter()

    def size(self):
        return self.rng.choice([0, 1, 2, 3, 64, 500, 1472, 1473, 9000, self.longest, self.rng.randrange(self.longest)])

    def send(self, length):
        start = self.rng.randrange(len(self.noise) - length)
        datagram = self.noise[start : start + length]
        self.under_way[datagram] += 1
        self.counts["most"] += length
        if self.is_connected:
            self.sock.send(datagram)
        else:
            self.sock.sendto(datagram, self.address)

    def take(self):
        """Reads one that has come back: sometimes with less room than it has bytes."""
        only = next(iter(self.under_way)) if self.under_way.total() == 1 and self.rng.random() < 0.3 else None
        room = self.longest + 1 if only is None else self.rng.randrange(len(only) + 1)
        datagram, sender = self.sock.recvfrom(room)
        if sender[:2] != self.address:
            raise Wrong(f"{len(datagram)} bytes came from {sender} and not {self.address}")
        if only is not None and datagram == only[:room]:
            datagram = only
        if self.under_way[datagram] == 0:
            raise Wrong(f"{len(datagram)} bytes came that were not sent, or twice: {datagram[:32]!r}")
        self.under_way[datagram] -= 1
        self.under_way += collections.Counter()
        return len(datagram)


def patient(socket):
    """Sends some at a time, all of which must come back."""
    rng, budget = socket.rng, socket.budget
    for _ in range(rng.randrange(1, 20)):
        lengths = [socket.size() if rng.random() < 0.5 else rng.randrange(200) for _ in range(rng.randrange(1, 40))]
        while sum(map(weight, lengths)) > min(socket.room, BUDGET):
            lengths.pop()
        # All at once: who has some and waits for more would keep it from others that do.
        while budget[0] < sum(map(weight, lengths)):
            yield 0, 0.002
        budget[0] -= sum(map(weight, lengths))
        for length in lengths:
            socket.send(length)
        while socket.under_way:
            if not (yield IN, PATIENCE):
                lost = sorted(len(datagram) for datagram in socket.under_way.elements())
                raise Wrong(f"{len(lost)} datagrams did not come back, of {lost[:20]} bytes")
            length = socket.take()
            socket.counts["least"] += length
            budget[0] += weight(length)


def gone(socket):
    """Is closed before the answers come."""
    lengths = [socket.rng.randrange(100) for _ in range(socket.rng.randrange(1, 30))]
    while socket.budget[0] < sum(map(weight, lengths)):
        yield 0, 0.002
    for length in lengths:
        socket.send(length)


def burst(socket):
    """Sends more than there is room for: what comes back must be right, but need not be all."""
    for _ in range(socket.rng.randrange(20, 200)):
        socket.send(socket.size())
        if socket.rng.random() < 0.05:
            yield 0, 0
    if socket.rng.random() < 0.5:
        return
    while socket.under_way and (yield IN, 0.2):
        socket.take()


def start(tasks, name, plan, rng, noise, address, delay, counts, budget):
    own = Datagrams(rng, noise, address, counts, budget)

    def steps():
        yield 0, delay
        yield from plan(own)

    tasks.start(f"{name}, {plan.__name__}", own.sock, steps())
