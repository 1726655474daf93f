"""Jobs: the records of work that a worker does, or has done."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskflow.clock import new_id, utc_now
from taskflow.codec import encode
from taskflow.tasks import Status, Task

# Tasks that are handed over at once. With the largest tasks, that is 10 MB.
SLICE = 100


class JobStatus(StrEnum):
    """The stage of a job's life."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Job:
    """The record of a job, and the source of its input."""

    kind: str
    iterations: int

    # Returns the input. It is called when the job begins.
    tasks: Callable[[], Sequence[Task]] = tuple
    id: str = field(default_factory=new_id)
    status: JobStatus = JobStatus.QUEUED
    created_at: str = field(default_factory=utc_now)
    started_at: str | None = None
    finished_at: str | None = None
    output: Any = None
    error: str | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> bytes:
        """The record as it is sent."""
        value = {
            "jobId": self.id,
            "status": self.status,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "output": self.output,
            "error": self.error,
        }
        return encode(value)

    def start(self) -> None:
        """Note that a worker has begun."""
        self.status = JobStatus.RUNNING
        self.started_at = utc_now()

    def finish(self, output: object, error: str | None) -> None:
        """Note the result, and wake everything that waits for it."""
        self.status = JobStatus.COMPLETED if error is None else JobStatus.FAILED
        self.output = output
        self.error = error
        self.finished_at = utc_now()
        self.done.set()


def completed_first(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield all tasks, the completed ones first, in lists of up to SLICE. O(n) in all.

    A reader in this order knows what is completed before it sees a task that depends on it, so it
    can forget each task at once. Many lists are empty; they give other work a turn.
    """
    for is_completed in (True, False):
        for start in range(0, len(tasks), SLICE):
            part = tasks[start : start + SLICE]
            yield [task for task in part if (task.status is Status.COMPLETED) is is_completed]
