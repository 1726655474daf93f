"""Events: what happens to tasks and reports, numbered, encoded once, and the last ones kept.

An event holds the bytes of its message and not the task, so it describes the moment at which it
happened, and can be sent any number of times.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from taskflow.clock import new_id, utc_now
from taskflow.codec import encode
from taskflow.jobs import Job
from taskflow.tasks import Change

# Events that are kept. Each is as large as its task.
MAX_EVENTS = 1_000

# The id of the request for which the current asyncio task works. A ContextVar has a value of its
# own in each asyncio task.
current_request: ContextVar[str | None] = ContextVar("current_request", default=None)


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one task, or the end of one report."""

    # 1, 2, 3 …
    seq: int

    # The rooms whose clients it is for.
    rooms: set[str]

    # JSON.
    message: bytes


class Events:
    """The last events. A new one pushes the oldest out, in O(1)."""

    def __init__(self) -> None:
        # Identifies this run of the server, because the numbers begin again with each run.
        self.epoch = new_id()
        self.seq = 0
        self.history: deque[Event] = deque(maxlen=MAX_EVENTS)

        # Called with each event.
        self.listeners: list[Callable[[Event], None]] = []

    def changed(self, changes: Sequence[Change]) -> None:
        """Publish an event for each change. The store calls this."""
        for change in changes:
            task = encode({"id": change.task_id}) if change.after is None else change.after.json
            self.publish(change.type, {"tasks", f"task:{change.task_id}"}, b'"task":' + task)

    def finished(self, job: Job) -> None:
        """Publish the end of a report. The pool calls this."""
        if job.kind == "report":
            self.publish(f"report.{job.status}", {"reports"}, b'"jobId":' + encode(job.id))

    def publish(self, kind: str, rooms: set[str], content: bytes) -> None:
        """Number an event, keep it, and pass it to the listeners. O(bytes), plus their work."""
        self.seq += 1
        origin = {"seq": self.seq, "requestId": current_request.get(), "timestamp": utc_now()}
        message = b'{"type":"' + kind.encode() + b'",' + content + b"," + encode(origin)[1:]
        event = Event(self.seq, rooms, message)
        self.history.append(event)
        for listener in self.listeners:
            listener(event)

    @property
    def position(self) -> dict[str, object]:
        """The number of the last event, and the run of the server that has given it."""
        return {"epoch": self.epoch, "seq": self.seq}

    def since(self, seq: int, epoch: object) -> list[Event] | None:
        """Return the events after this number, or None if some of them are no longer kept."""
        forgotten = self.seq - len(self.history)
        if epoch != self.epoch or not forgotten <= seq <= self.seq:
            return None
        return list(self.history)[seq - forgotten :]
