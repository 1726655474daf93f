"""The import: tasks as lines of JSON, each taken as it comes, in memory that does not grow.

A line that is wrong is left out and told of; the others do not suffer for it. A task may depend on
one that stands further down: it waits for the end then, and keeps the place in the order of
creation that its line gave it. Only what waits is held.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import datetime
from typing import Any

from taskflow.codec import decode_object
from taskflow.dependencies import DependencyGraph
from taskflow.errors import MissingDependency, PayloadTooLarge, TaskflowError, ValidationError
from taskflow.http import Request
from taskflow.store import Store
from taskflow.tasks import Change, Task, check_fields, new_task

MAX_LINE = 1024 * 1024  # bytes
MAX_WAITING = 64 * 1024 * 1024  # bytes of tasks that may wait for a line further down
MAX_TOLD = 1_000  # failures that are told of one by one
TURN = 100  # lines, before it is somebody else's turn

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A time that `updatedAt` can still follow, which none can after the year 9999.
TIME = re.compile(r"(?!9999)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")

# What only an import may give: by its name, what it is called in a task, and how it is written.
GIVEN = {
    "id": ("id", ID, "must be a UUID in lower case"),
    "createdAt": ("created_at", TIME, "must be a time such as 2026-01-31T12:00:00.000Z"),
    "updatedAt": ("updated_at", TIME, "must be a time such as 2026-01-31T12:00:00.000Z"),
}


async def lines_of(request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a body as they come. Raises PayloadTooLarge over MAX_LINE."""
    rest = bytearray()
    while piece := await request.receive():
        rest += piece
        *lines, rest = rest.split(b"\n") if b"\n" in piece else [rest]
        for line in lines:
            yield _within_bound(line)
        _within_bound(rest)
    yield bytes(rest)


def _within_bound(line: bytearray) -> bytes:
    if len(line) > MAX_LINE:
        raise PayloadTooLarge(f"a line has more than {MAX_LINE} bytes")
    return bytes(line)


def parse_task(line: bytes, number: int) -> Task:
    """Return the task of a line, with its number in the order of creation. Raises TaskflowError."""
    values = decode_object(line)
    given = {GIVEN[name][0]: _given(name, values.pop(name)) for name in GIVEN if name in values}
    return new_task(number, check_fields(values, required=("title",)) | given)


def _given(name: str, value: object) -> str:
    _, form, reason = GIVEN[name]
    with suppress(ValueError):
        if isinstance(value, str) and form.fullmatch(value):
            if form is TIME:
                datetime.fromisoformat(value)  # there is no 30th of February
            return value
    raise ValidationError(name, reason)


class Import:
    """One import: what it has created, what failed, and what waits for the end."""

    def __init__(self, store: Store, give_way: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._give_way = give_way  # lets others run, and what was imported get to the disk
        self._created = 0
        self._failed_count = 0
        self._failed: dict[int, str] = {}  # by the number of the line, the first MAX_TOLD
        self._waiting: dict[str, tuple[int, Task]] = {}  # by id, with the number of the line
        self._waiting_bytes = 0
        self._graph = DependencyGraph()  # of what waits

    async def run(self, lines: AsyncGenerator[bytes, None]) -> dict[str, Any]:
        """Take all lines; return what became of them. O(bytes + edges of the tasks that wait).

        Ends with what giving way raises: a disk that takes no more ends the import.
        """
        number = 0
        async with aclosing(lines):
            async for line in lines:
                number += 1
                if line.strip():
                    self._take(number, line)
                if number % TURN == 0:
                    await self._give_way()
        for turn, task_id in enumerate(self._graph.order(self._waiting)):
            if task_id in self._waiting:
                number, task = self._waiting[task_id]
                with self._told_of(number):
                    self._store.insert(task)
                    self._created += 1
            if turn % TURN == 0:
                await self._give_way()
        failed = [{"line": line, "error": self._failed[line]} for line in sorted(self._failed)]
        return {"created": self._created, "failedCount": self._failed_count, "failed": failed}

    def _take(self, number: int, line: bytes) -> None:
        """Add the task of a line, or let it wait if what it depends on may still come."""
        with self._told_of(number):
            task = parse_task(line, self._store.next_number())
            if task.id in self._waiting:
                raise ValidationError("id", "exists already")
            try:
                self._store.insert(task)
                self._created += 1
            except MissingDependency:
                self._waiting_bytes += len(task.json)
                if self._waiting_bytes > MAX_WAITING:
                    raise
                self._waiting[task.id] = number, task
                self._graph.apply(Change(None, task))

    @contextmanager
    def _told_of(self, number: int) -> Iterator[None]:
        """Make an error the failure of this line, and not of the import."""
        try:
            yield
        except TaskflowError as error:
            self._failed_count += 1
            if len(self._failed) < MAX_TOLD:
                self._failed[number] = str(error)
