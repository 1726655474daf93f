"""Events: what happens to tasks and reports, numbered, encoded once, and the last ones kept.

An event holds the encoded task as it was when it happened, and can be sent any number of times.
The rest of its message is made when it is first needed, because most events are never sent
(benchmarks/final_parts.py shows what it costs to make all messages at once).
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


@dataclass(slots=True)
class Event:
    """One change of one task, or the end of one report."""

    # 1, 2, 3 …
    seq: int
    kind: str

    # The rooms whose clients it is for.
    rooms: set[str]

    # JSON: the member that describes what happened.
    content: bytes
    request_id: str | None
    timestamp: str

    # b"" until it is needed.
    _message: bytes = b""

    @property
    def message(self) -> bytes:
        """The event as JSON. O(bytes), once."""
        if not self._message:
            origin = {"seq": self.seq, "requestId": self.request_id, "timestamp": self.timestamp}
            head = b'{"type":"' + self.kind.encode() + b'",' + self.content
            self._message = head + b"," + encode(origin)[1:]
        return self._message


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
        """Number an event, keep it, and pass it to the listeners. O(1), plus their work."""
        self.seq += 1
        event = Event(
            seq=self.seq,
            kind=kind,
            rooms=rooms,
            content=content,
            request_id=current_request.get(),
            timestamp=utc_now(),
        )
        self.history.append(event)
        for listener in self.listeners:
            listener(event)

    def forget(self) -> None:
        """Forget all events, because clients may have read changes that were taken back. O(1).

        The number that this uses up makes sure that a client which was away does not resume.
        """
        self.seq += 1
        self.history.clear()

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
