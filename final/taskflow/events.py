"""Events: what happens to tasks, numbered and encoded once, and the last of it kept.

An event holds the encoded task as it was when it happened, and may be told to anybody, any number
of times. The rest of its message is made when the first one wants it: mostly nobody does, and it
would be a seventh of what a new task costs.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

from taskflow.codec import encode, utc_now
from taskflow.tasks import Change
from taskflow.workers import Job

MAX_EVENTS = 1_000  # that are kept; each is as large as the task that it tells of

# The id of the request on whose behalf the current asyncio task runs.
current_request: ContextVar[str | None] = ContextVar("current_request", default=None)


@dataclass(slots=True)
class Event:
    """Something that happened."""

    seq: int  # 1, 2, 3 …
    kind: str
    rooms: set[str]  # where it is told: to those who follow all tasks, or just this one
    content: bytes  # JSON: what it is about
    request_id: str | None
    timestamp: str
    _message: bytes = b""

    @property
    def message(self) -> bytes:
        """The event as JSON, made once. O(bytes)."""
        if not self._message:
            rest = {"seq": self.seq, "requestId": self.request_id, "timestamp": self.timestamp}
            head = b'{"type":"' + self.kind.encode() + b'",' + self.content
            self._message = head + b"," + encode(rest)[1:]
        return self._message


class Events:
    """The last events. A new one pushes the oldest out: O(1), in memory that does not grow."""

    def __init__(self) -> None:
        self.epoch = str(uuid4())  # of this server's life: with it, the numbers begin anew
        self.seq = 0
        self.history: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.listeners: list[Callable[[Event], None]] = []  # told of each event

    def changed(self, changes: Sequence[Change]) -> None:
        """Note what became of tasks; the store calls this."""
        for change in changes:
            task = encode({"id": change.task_id}) if change.after is None else change.after.json
            self.publish(change.type, {"tasks", f"task:{change.task_id}"}, b'"task":' + task)

    def finished(self, job: Job) -> None:
        """Tell of a report that is done; the pool calls this."""
        if job.kind == "report":
            self.publish(f"report.{job.status}", {"reports"}, b'"jobId":' + encode(job.id))

    def publish(self, kind: str, rooms: set[str], content: bytes) -> None:
        """Give an event its number, keep it, and tell of it. O(what listeners do)."""
        self.seq += 1
        event = Event(self.seq, kind, rooms, content, current_request.get(), utc_now())
        self.history.append(event)
        for listener in self.listeners:
            listener(event)

    def since(self, seq: int, epoch: object) -> list[Event] | None:
        """Return what came after the event of this number, None if that is not known any more."""
        forgotten = self.seq - len(self.history)
        if epoch != self.epoch or not forgotten <= seq <= self.seq:
            return None
        return list(islice(self.history, seq - forgotten, None))
