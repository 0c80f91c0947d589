"""Puts a server under clients that do everything at random, and looks at each byte that comes back.

    clients.py SEED ENDPOINT...

An endpoint is written as tcp://HOST:PORT or udp://HOST:PORT. For each line on stdin there is a round: so many connections
as it says, and as many sockets of datagrams as its second number. Once all of them have gone, a line tells what they saw:
how many connected, and how many bytes the server must have echoed at the least and at the most. What is wrong ends it
with exit code 1, and a line on stderr that names the seed.
"""

import json
import random
import resource
import sys
import urllib.parse

import datagrams
import streams
from tasks import Tasks, Wrong


def round_of(seed, number, addresses, noise, connections, sockets):
    rng = random.Random(f"{seed}/{number}")
    counts = {"connections": 0, "least": 0, "most": 0}
    tasks = Tasks()
    spread = rng.choice([0, 0.1, 1])
    for i in range(connections):
        name = f"seed {seed}, round {number}, connection {i}"
        own = random.Random(f"{seed}/{number}/{i}")
        streams.start(tasks, name, own, noise, own.choice(addresses["tcp"]), own.random() * spread, counts)
    budget = [datagrams.BUDGET]
    for i in range(sockets):
        name = f"seed {seed}, round {number}, socket {i}"
        own = random.Random(f"{seed}/{number}/datagrams/{i}")
        plan = datagrams.gone if own.random() < 0.3 else datagrams.patient
        datagrams.start(tasks, name, plan, own, noise, own.choice(addresses["udp"]), own.random() * spread, counts, budget)
    tasks.run()
    # Apart from the others, of which none may be lost.
    for i in range(rng.randrange(3) if sockets > 0 else 0):
        name = f"seed {seed}, round {number}, burst {i}"
        own = random.Random(f"{seed}/{number}/burst/{i}")
        datagrams.start(tasks, name, datagrams.burst, own, noise, own.choice(addresses["udp"]), 0, counts, budget)
    tasks.run()
    return counts


def main(seed, *endpoints):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    noise = random.Random(seed).randbytes(2 * streams.LONGEST)
    addresses = {"tcp": [], "udp": []}
    for endpoint in map(urllib.parse.urlsplit, endpoints):
        addresses[endpoint.scheme].append((endpoint.hostname, endpoint.port))
    for number, line in enumerate(sys.stdin):
        try:
            counts = round_of(seed, number, addresses, noise, *map(int, line.split()))
        except Wrong as error:
            sys.exit(str(error))
        print(json.dumps(counts), flush=True)


main(*sys.argv[1:])
