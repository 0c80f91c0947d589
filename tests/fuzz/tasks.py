"""Many sockets at once in one thread: each is driven by a generator that yields what it waits for."""

import heapq
import itertools
import select
import time

IN, OUT = select.EPOLLIN, select.EPOLLOUT


class Wrong(Exception):
    """The server did not do what it must."""


class Task:
    def __init__(self, name, sock, steps):
        self.name, self.sock, self.steps = name, sock, steps
        self.fd = sock.fileno()
        self.events = 0
        self.turn = None


class Tasks:
    """Runs generators, each with a socket that is its own.

    A generator yields (events, seconds). It goes on with those of the events that can be had, or with 0 once the time is
    over; where it waits for no event, the time alone counts. An error is for its next call on the socket to find.
    """

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}
        self.timers = []
        self.turns = itertools.count()

    def start(self, name, sock, steps):
        sock.setblocking(False)
        task = Task(name, sock, steps)
        self.tasks[task.fd] = task
        self._step(task, None)

    def run(self):
        while self.tasks:
            for fd, happened in self.epoll.poll(max(0, self.timers[0][0] - time.monotonic())):
                task = self.tasks.get(fd)
                if task is not None:
                    failed = happened & (select.EPOLLERR | select.EPOLLHUP)
                    self._step(task, task.events if failed else happened & task.events)
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                _, turn, task = heapq.heappop(self.timers)
                if task.turn == turn:
                    self._step(task, 0)
        self.timers.clear()

    def _step(self, task, happened):
        try:
            events, seconds = task.steps.send(happened)
        except StopIteration:
            del self.tasks[task.fd]
            task.turn = None
            if task.events and task.sock.fileno() >= 0:
                self.epoll.unregister(task.fd)
            task.sock.close()
            return
        except (Wrong, OSError) as error:
            raise Wrong(f"{task.name}: {error}") from error
        if events != task.events:
            if not task.events:
                self.epoll.register(task.fd, events)
            elif events:
                self.epoll.modify(task.fd, events)
            else:
                self.epoll.unregister(task.fd)
            task.events = events
        task.turn = next(self.turns)
        heapq.heappush(self.timers, (time.monotonic() + seconds, task.turn, task))
