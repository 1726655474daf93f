"""Events: what happens to tasks, numbered and encoded once, and the last of it kept.

An event holds the bytes that tell of it, and not the task: so it is what it was when it happened,
and may be told to anybody, any number of times.
"""

from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from taskflow.codec import encode, utc_now
from taskflow.tasks import Change

MAX_EVENTS = 1_000  # that are kept; each is as large as the task that it tells of

# The id of the request on whose behalf the current asyncio task runs.
current_request: ContextVar[str | None] = ContextVar("current_request", default=None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    seq: int  # 1, 2, 3 …
    rooms: set[str]  # where it is told: to those who follow all tasks, or just this one
    message: bytes  # JSON


class Events:
    """The last events. A new one pushes the oldest out: O(1), in memory that does not grow."""

    def __init__(self) -> None:
        self.seq = 0
        self.history: deque[Event] = deque(maxlen=MAX_EVENTS)

    def changed(self, changes: Sequence[Change]) -> None:
        """Note what became of tasks; the store calls this."""
        for change in changes:
            task = encode({"id": change.task_id}) if change.after is None else change.after.json
            self.publish(change.type, {"tasks", f"task:{change.task_id}"}, b'"task":' + task)

    def publish(self, kind: str, rooms: set[str], content: bytes) -> None:
        """Give an event its number, and keep it. O(bytes)."""
        self.seq += 1
        rest = {"seq": self.seq, "requestId": current_request.get(), "timestamp": utc_now()}
        message = b'{"type":"' + kind.encode() + b'",' + content + b"," + encode(rest)[1:]
        self.history.append(Event(self.seq, rooms, message))
