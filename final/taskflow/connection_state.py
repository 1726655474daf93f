"""The states of a connection."""

from enum import Enum, auto


class State(Enum):
    """What a connection is doing. It is in exactly one of these states."""

    # Waiting for the head of the next request.
    READING = auto()

    # The app has a request, or its response is being sent.
    SERVING = auto()

    # The final response has been written. Bytes that still arrive are discarded.
    CLOSING = auto()

    # Another protocol has taken the transport over.
    HANDED_OVER = auto()

    # The transport is gone.
    CLOSED = auto()


# A request passes six of these. Python 3.11 finds a global faster than a member of an Enum
# (benchmarks/final_parts.py compares both).
READING = State.READING
SERVING = State.SERVING
CLOSING = State.CLOSING
HANDED_OVER = State.HANDED_OVER
CLOSED = State.CLOSED
