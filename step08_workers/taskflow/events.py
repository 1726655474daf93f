"""Events: the last changes of tasks, numbered, in memory that does not grow."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from taskflow.tasks import Change

# Events that are kept.
MAX_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one task. It does not hold the task, which may be large."""

    # 1, 2, 3 …
    seq: int
    type: str
    task_id: str


class Events:
    """The last events. A new one pushes the oldest out, in O(1)."""

    def __init__(self) -> None:
        self.seq = 0
        self.history: deque[Event] = deque(maxlen=MAX_EVENTS)

    def changed(self, changes: Sequence[Change]) -> None:
        """Keep an event for each change. The store calls this."""
        for change in changes:
            self.seq += 1
            self.history.append(Event(self.seq, change.type, change.task_id))
