"""The import: tasks as lines of JSON, each handled as it arrives, in memory that does not grow.

A line that is wrong is left out and reported; it does not affect the others. A task may depend on
one in a later line. It waits for the end of the body then, and keeps the place in the order of
creation that its line gave it. Only the tasks that wait are held, within a bound on their memory
that all imports share.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from taskflow.codec import decode_object
from taskflow.dependencies import DependencyGraph
from taskflow.errors import MissingDependency, PayloadTooLarge, TaskflowError, ValidationError
from taskflow.http import Request
from taskflow.store import Store
from taskflow.tasks import Change, Task, check_fields, new_task

# Bytes.
MAX_LINE = 1024 * 1024

# Bytes of memory that tasks may take while they wait for a later line, in all imports together.
MAX_WAITING = 64 * 1024 * 1024

# Bytes, at most, of the objects that hold one edge of a task that waits. As many hold the task
# itself.
EDGE_BYTES = 512

# Failures that are reported one by one.
MAX_REPORTED = 1_000

# Lines between two turns of other requests.
TURN = 100

UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
TIME_REASON = "must be a time such as 2026-01-31T12:00:00.000Z"

# Fields that only an import may set: their names in a task, their patterns, and what is allowed.
IMPORTED = {
    "id": ("id", UUID, "must be a UUID"),
    "createdAt": ("created_at", TIME, TIME_REASON),
    "updatedAt": ("updated_at", TIME, TIME_REASON),
}


async def lines_of(request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a body as they arrive. O(bytes), however small the pieces are.

    Raises PayloadTooLarge over MAX_LINE.
    """
    line = bytearray()
    while piece := await request.receive():
        for index, part in enumerate(piece.split(b"\n")):
            # Every part but the first comes after the end of a line.
            if index > 0:
                yield bytes(line)
                line.clear()
            line += part
            if len(line) > MAX_LINE:
                raise PayloadTooLarge(f"a line has more than {MAX_LINE} bytes")
    yield bytes(line)


def parse_task(line: bytes, number: int) -> Task:
    """Return the task in a line, with its place in the order of creation. Raises TaskflowError."""
    values = decode_object(line)
    imported = {
        IMPORTED[name][0]: _checked_value(name, values.pop(name))
        for name in IMPORTED
        if name in values
    }
    return new_task(number, check_fields(values, required=("title",)) | imported)


def _checked_value(name: str, value: object) -> str:
    _, pattern, reason = IMPORTED[name]
    with suppress(ValueError):
        if isinstance(value, str) and pattern.fullmatch(value):
            if pattern is UUID:
                # Ids are written in lower case (RFC 9562, 4).
                return value.lower()
            # Raises ValueError for days that do not exist, such as the 30th of February.
            datetime.fromisoformat(value)
            return value
    raise ValidationError(name, reason)


# The bytes that the waiting tasks of each import take. An import that has ended is freed, even if
# its client left in the middle, and its entry goes with it.
WAITING: WeakKeyDictionary["Import", int] = WeakKeyDictionary()


class Import:
    """One import: the tasks that it has created, its failures, and the tasks that wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._created = 0
        self._failed_count = 0

        # Messages by line number, the first MAX_REPORTED.
        self._failed: dict[int, str] = {}

        # Line numbers and tasks, by task id.
        self._waiting: dict[str, tuple[int, Task]] = {}

        # The edges of the tasks that wait.
        self._graph = DependencyGraph()

    async def run(self, lines: AsyncGenerator[bytes, None]) -> dict[str, Any]:
        """Import all lines, and return the report. O(bytes + edges of the tasks that wait)."""
        number = 0
        async with aclosing(lines):
            async for line in lines:
                number += 1
                # Some programs begin a file with this byte order mark (RFC 8259, 8.1).
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    self._add_line(number, text)
                if number % TURN == 0:
                    await asyncio.sleep(0)
        for turn, task_id in enumerate(self._graph.order(self._waiting)):
            if task_id in self._waiting:
                number, task = self._waiting[task_id]
                with self._failure_of(number):
                    self._store.insert(task)
                    self._created += 1
            if turn % TURN == 0:
                await asyncio.sleep(0)
        failed = [{"line": line, "error": self._failed[line]} for line in sorted(self._failed)]
        return {"created": self._created, "failedCount": self._failed_count, "failed": failed}

    def _add_line(self, number: int, line: bytes) -> None:
        """Add the task in a line, or let it wait if its prerequisites may still come."""
        with self._failure_of(number):
            task = parse_task(line, self._store.next_number())
            if task.id in self._waiting:
                raise ValidationError("id", "exists already")
            try:
                self._store.insert(task)
                self._created += 1
            except MissingDependency:
                # A byte of JSON becomes up to four in the fields, and is kept as JSON too.
                cost = 5 * len(task.json) + EDGE_BYTES * (1 + len(task.dependencies))
                if sum(WAITING.values()) + cost > MAX_WAITING:
                    raise ValidationError("dependencies", "too many wait for later tasks") from None
                WAITING[self] = WAITING.get(self, 0) + cost
                self._waiting[task.id] = (number, task)
                self._graph.apply(Change(None, task))

    @contextmanager
    def _failure_of(self, number: int) -> Iterator[None]:
        """Turn an error into the failure of one line, instead of the whole import."""
        try:
            yield
        except TaskflowError as error:
            self._failed_count += 1
            if len(self._failed) < MAX_REPORTED:
                self._failed[number] = str(error)
