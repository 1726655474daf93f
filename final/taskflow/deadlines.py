"""Deadlines: how long a client may take for what it has to do next.

This module knows nothing about sockets and has no clock: its callers pass the time. A connection
has one deadline at a time, and one sweeper looks at the deadlines of all connections. A timer for
each wait would be exact to the millisecond, which is not needed, and each request would have to
set and cancel several.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

# The least that a body must bring in every body timeout.
MIN_BODY_BYTES = 1024


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

    # Until its next request begins.
    idle: float = 30.0

    # From the first byte of a head to the last.
    head: float = 10.0

    # For each MIN_BODY_BYTES of a body.
    body: float = 10.0

    # To take any of a response.
    write: float = 30.0

    def of(self, waiting: Waiting) -> float:
        """Return the limit for this wait."""
        limits = {
            Waiting.REQUEST: self.idle,
            Waiting.HEAD: self.head,
            Waiting.BODY: self.body,
            Waiting.WRITE: self.write,
        }
        return limits.get(waiting, math.inf)


class Deadline:
    """What one connection waits for, and since when.

    The end of a wait is computed when the sweeper asks for it, a few times a second, and not when
    the wait begins, which happens several times in each request.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._waiting = Waiting.NOTHING
        self._since = 0.0

        # Bytes since the wait began.
        self._received = 0

        # Bytes that the client had not taken at the last look.
        self._unsent = 0

    def set(self, waiting: Waiting, now: float) -> None:
        """Begin to wait. If the connection waits for the same thing already, its time runs on."""
        if waiting is not self._waiting:
            self._restart(waiting, now)

    def received(self, count: int) -> None:
        """Note that the client has sent some bytes."""
        self._received += count

    def taken(self, now: float) -> None:
        """Note that the client has taken some of a response."""
        if self._waiting is Waiting.WRITE:
            self._restart(Waiting.WRITE, now)

    def missed(self, now: float, unsent: int = 0) -> Waiting:
        """Return the wait that has taken too long, or NOTHING while there is still time.

        `unsent` is the number of bytes that the client has not taken yet.
        """
        if unsent < self._unsent:
            self.taken(now)
        self._unsent = unsent
        if now < self._since + self._timeouts.of(self._waiting):
            return Waiting.NOTHING
        if self._waiting is Waiting.BODY and self._received >= MIN_BODY_BYTES:
            # The body is slow, but it is coming.
            self._restart(Waiting.BODY, now)
            return Waiting.NOTHING
        missed = self._waiting
        self._restart(Waiting.NOTHING, now)
        return missed

    def _restart(self, waiting: Waiting, now: float) -> None:
        self._waiting = waiting
        self._since = now
        self._received = 0
