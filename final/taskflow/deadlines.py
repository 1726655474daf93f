"""Deadlines: how long a client may take for what it has to do.

Knows nothing of sockets and has no clock: it is told the time. A connection has one deadline at a
time, and one sweeper looks at those of all connections. A timer for each read would be exact to
the millisecond, which nobody needs, and would be set and cancelled for every request.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

MIN_BODY_BYTES = 1024  # what a body must bring in every body timeout


class Waiting(Enum):
    """What a connection waits for its client to do."""

    NOTHING = auto()
    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    WRITE = auto()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take, in seconds."""

    idle: float = 30.0  # until its next request begins
    head: float = 10.0  # from the first byte of a head to the last
    body: float = 10.0  # for each MIN_BODY_BYTES of a body
    write: float = 30.0  # to take anything at all of an answer

    def of(self, waiting: Waiting) -> float:
        """Return how long to wait for this."""
        seconds = {
            Waiting.REQUEST: self.idle,
            Waiting.HEAD: self.head,
            Waiting.BODY: self.body,
            Waiting.WRITE: self.write,
        }
        return seconds.get(waiting, math.inf)


class Deadline:
    """What one connection waits for, and since when.

    How long that may last is looked up when somebody asks: the sweeper does so a few times a
    second, while a wait begins twice for every request.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._waiting = Waiting.NOTHING
        self._since = 0.0
        self._received = 0  # bytes since the deadline was set

    def wait_for(self, waiting: Waiting, now: float) -> None:
        """Begin to wait, unless it is for the same thing as before: then the time runs on."""
        if waiting is not self._waiting:
            self._set(waiting, now)

    def received(self, count: int) -> None:
        """Note that the client has sent something."""
        self._received += count

    def taken(self, now: float) -> None:
        """Note that the client has taken some of an answer."""
        if self._waiting is Waiting.WRITE:
            self._set(Waiting.WRITE, now)

    def missed(self, now: float) -> Waiting:
        """Return what the client was too slow for, NOTHING if there is still time."""
        if now < self._since + self._timeouts.of(self._waiting):
            return Waiting.NOTHING
        if self._waiting is Waiting.BODY and self._received >= MIN_BODY_BYTES:
            self._set(Waiting.BODY, now)  # slow, but it moves
            return Waiting.NOTHING
        missed = self._waiting
        self._set(Waiting.NOTHING, now)
        return missed

    def _set(self, waiting: Waiting, now: float) -> None:
        self._waiting = waiting
        self._since = now
        self._received = 0
