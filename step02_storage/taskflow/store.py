"""The store: the tasks in a hash map, by id, and the indexes that follow every change.

The store knows nothing about HTTP. Every change passes through one method, `apply`, as a list of
tasks before and after, and every check that can refuse a change comes before that. So a change
happens as a whole or not at all, and an index that must follow the tasks has one place to do so.

No method awaits anything, so no other request runs between its first line and its last.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from taskflow import errors
from taskflow.tasks import Change, Status, Task, changed, new_task

MAX_TASKS = 1_000_000


class CreationOrder:
    """The ids in order of creation, for paging: a dict finds a key, but not the key after it.

    A deleted task leaves its entry in the list. When more than half of the entries are such
    remains, all of them are removed. So `add` and `remove` are O(1) on average, and a page passes
    at most as many remains as there are tasks.
    """

    def __init__(self) -> None:
        # Numbers and ids, by rising number.
        self._entries: list[tuple[int, str]] = []

        # The numbers of deleted tasks whose entries are still in the list.
        self._deleted: set[int] = set()

    def add(self, task: Task) -> None:
        """Add a new task, whose number is the highest so far. O(1)."""
        self._entries.append((task.number, task.id))

    def remove(self, task: Task) -> None:
        """Remove a task. O(1) on average."""
        self._deleted.add(task.number)
        if len(self._deleted) * 2 > len(self._entries):
            self._entries = [entry for entry in self._entries if entry[0] not in self._deleted]
            self._deleted.clear()

    def ids_after(self, number: int) -> Iterator[str]:
        """Yield the ids of the tasks with a higher number than this one, which may be deleted.

        O(log n) to find the first, then O(1) for each entry passed, remains included.
        """
        start = bisect_right(self._entries, number, key=lambda entry: entry[0])
        for index in range(start, len(self._entries)):
            number, task_id = self._entries[index]
            if number not in self._deleted:
                yield task_id


class Store:
    """All tasks. Reading, changing and deleting one by its id is O(1), plus the indexes."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._order = CreationOrder()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def get(self, task_id: str) -> Task:
        """Return the task with this id. O(1). Raises TaskNotFound."""
        try:
            return self._tasks[task_id]
        except KeyError:
            raise errors.TaskNotFound(f"there is no task {task_id[:64]}") from None

    def page(self, limit: int, after: int = 0, status: Status | None = None) -> list[Task]:
        """Return up to `limit` tasks with this status, in order of creation, after a number.

        O(limit + log n), but O(n) if few tasks have the status or many were deleted recently.
        """
        tasks = map(self._tasks.__getitem__, self._order.ids_after(after))
        wanted = (task for task in tasks if status is None or task.status is status)
        return list(islice(wanted, limit))

    def next_number(self) -> int:
        """Return the next place in the order of creation, and use it up."""
        self._last_number += 1
        return self._last_number

    def create(self, fields: Mapping[str, Any]) -> Task:
        """Add a task with these checked fields, and return it. Raises StoreFull."""
        task = new_task(self.next_number(), fields)
        self.insert(task)
        return task

    def insert(self, task: Task) -> None:
        """Add a complete task. Raises StoreFull."""
        if len(self._tasks) >= MAX_TASKS:
            raise errors.StoreFull(f"the store has {MAX_TASKS} tasks and takes no more")
        self.apply([Change(None, task)])

    def update(self, task_id: str, fields: Mapping[str, Any]) -> Task:
        """Merge checked fields into a task, and return its new version. Raises TaskNotFound."""
        before = self.get(task_id)
        if all(getattr(before, name) == value for name, value in fields.items()):
            return before
        after = changed(before, fields)
        self.apply([Change(before, after)])
        return after

    def delete(self, task_id: str) -> None:
        """Delete a task. Raises TaskNotFound."""
        self.apply([Change(self.get(task_id), None)])

    def apply(self, changes: Sequence[Change]) -> None:
        """Make checked changes, all of them together. O(1) for each task touched."""
        for change in changes:
            self._put(change)

    def _put(self, change: Change) -> None:
        before, after = change.before, change.after
        if after is not None:
            self._tasks[after.id] = after
            if before is None:
                self._order.add(after)
        elif before is not None:
            del self._tasks[before.id]
            self._order.remove(before)
