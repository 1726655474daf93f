"""Deadlines: how long a client may take for what it has to do next.

This module knows nothing about sockets and has no clock: its callers pass the time. A connection
has one deadline for what it receives and one for what it sends, and one sweeper looks at those of
all connections. A timer for each wait would be exact to the millisecond, which is not needed, and
each request would have to set and cancel several.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

# The least that a client must send of a body, and take of a response, in every timeout.
MIN_BODY_BYTES = 1024
MIN_RESPONSE_BYTES = 64 * 1024


class Waiting(Enum):
    """What a connection waits for its client to do."""

    NOTHING = auto()
    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    WRITE = auto()


MIN_BYTES = {Waiting.BODY: MIN_BODY_BYTES, Waiting.WRITE: MIN_RESPONSE_BYTES}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take, in seconds."""

    # Until its next request begins. Longer than common proxies keep their connections.
    idle: float = 75.0

    # From the first byte of a head to the last.
    head: float = 10.0

    # For each MIN_BODY_BYTES of a body.
    body: float = 10.0

    # For each MIN_RESPONSE_BYTES of a response, or the rest of it.
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
    """What one connection waits for, since when, and how far its client had come by then.

    The end of a wait is computed when the sweeper asks for it, a few times a second, and not when
    the wait begins, which happens several times in each request.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._waiting = Waiting.NOTHING
        self._since = 0.0

        # Bytes that the client had sent, or had taken, when the wait began.
        self._moved = 0

    def set(self, waiting: Waiting, now: float, moved: int = 0) -> None:
        """Begin to wait. If the connection waits for the same thing already, its time runs on.

        `moved` is the number of bytes that the client has sent, or has taken, since it came.
        """
        if waiting is not self._waiting:
            self._restart(waiting, now, moved)

    def missed(self, now: float, moved: int = 0) -> Waiting:
        """Return the wait that has taken too long, or NOTHING while there is still time."""
        if now < self._since + self._timeouts.of(self._waiting):
            return Waiting.NOTHING
        if moved - self._moved >= MIN_BYTES.get(self._waiting, math.inf):
            # The client is slow, but not too slow.
            self._restart(self._waiting, now, moved)
            return Waiting.NOTHING
        missed = self._waiting
        self._restart(Waiting.NOTHING, now, moved)
        return missed

    def _restart(self, waiting: Waiting, now: float, moved: int) -> None:
        self._waiting = waiting
        self._since = now
        self._moved = moved
