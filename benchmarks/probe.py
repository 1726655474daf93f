"""How long a server takes to say that it is well, asked again and again.

Requests go out at fixed times, whether or not the ones before are answered, each on a connection
that is free. A client that waited for its answer before it asks again would see a server stand
still for a second as one slow answer, and not as the two hundred that it is (Gil Tene calls that
coordinated omission).
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil

from benchmarks.client import encode
from benchmarks.processes import CannotMeasure

PERIOD = 0.005  # seconds from one request to the next
PATIENCE = 30.0  # seconds for the last answers
HEALTH = encode("GET", "/health")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: when it was asked for, by the clock of the system, and what it took."""

    at: float
    seconds: float


@dataclass(slots=True)
class Probe:
    """Connections to a server, and what was seen on them."""

    port: int
    stack: ExitStack
    answers: list[Answer] = field(default_factory=list)
    waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    free: list[socket.socket] = field(default_factory=list)

    def ask(self) -> None:
        """Send a request on a free connection, or a new one."""
        if not self.free:
            new = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
            self.free.append(self.stack.enter_context(new))
        connection = self.free.pop()
        connection.sendall(HEALTH)
        self.waiting.register(
            connection, selectors.EVENT_READ, (connection, time.time(), time.perf_counter())
        )

    def listen(self, seconds: float) -> bool:
        """Take the answers that come in so many seconds; return whether there were any."""
        ready = self.waiting.select(max(0.0, seconds))
        now = time.perf_counter()
        for key, _ in ready:
            connection, at, asked = key.data
            if not connection.recv(4096).startswith(b"HTTP/1.1 200 "):  # one piece, so small it is
                raise CannotMeasure("/health does not answer 200")
            self.answers.append(Answer(at, now - asked))
            self.waiting.unregister(connection)
            self.free.append(connection)
        return bool(ready)


def probe(port: int, until: Callable[[], bool]) -> list[Answer]:
    """Ask every PERIOD until `until` says that it is enough; return all answers."""
    with ExitStack() as stack:
        one = Probe(port, stack)
        stack.callback(one.waiting.close)
        one.ask()
        one.listen(PATIENCE)
        one.answers.clear()  # the connection is not what we measure
        due = time.perf_counter()
        while not until():
            one.ask()
            due = max(due + PERIOD, time.perf_counter())
            while (left := due - time.perf_counter()) > 0:
                one.listen(left)
        while one.waiting.get_map() and one.listen(PATIENCE):
            pass  # those who still wait would be the slowest
        if one.waiting.get_map():
            raise CannotMeasure("/health does not answer")
        return one.answers


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed. O(n log n)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
