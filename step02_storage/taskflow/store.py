"""The tasks, by id: a hash map, and beside it the indexes that follow its changes.

Knows nothing of HTTP. Every change goes through one method, `apply`, as a list of tasks before
and after, and everything that may refuse a change does so before that. So a change happens whole
or not at all, and whatever must follow the tasks has one place to hook in.

No method awaits anything: between its first line and its last, nobody else runs.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from taskflow import errors
from taskflow.tasks import Change, Status, Task, changed, new_task

MAX_TASKS = 1_000_000


class CreationOrder:
    """The ids in order of creation, for paging: a dict finds a key, but no place to go on from.

    A deleted task leaves its entry behind; when half the entries are of such, they are swept out.
    So add and drop are O(1) on average, and a page passes at most as many dead entries as living.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[int, str]] = []  # number and id, by rising number
        self._gone: set[int] = set()  # numbers of the entries left behind

    def add(self, task: Task) -> None:
        """Append a new task, whose number is the highest so far. O(1)."""
        self._entries.append((task.number, task.id))

    def drop(self, task: Task) -> None:
        """Forget a task. O(1) on average."""
        self._gone.add(task.number)
        if len(self._gone) * 2 > len(self._entries):
            self._entries = [entry for entry in self._entries if entry[0] not in self._gone]
            self._gone.clear()

    def ids_after(self, task: Task | None) -> Iterator[str]:
        """Yield the ids created after this task, or all.

        O(log n) to find the place, then O(1) for each entry passed, those left behind included.
        """
        start = 0 if task is None else bisect_right(self._entries, (task.number, task.id))
        for position in range(start, len(self._entries)):
            number, task_id = self._entries[position]
            if number not in self._gone:
                yield task_id


class Store:
    """All tasks. Look-up, change and removal by id are O(1) and a little for the indexes."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._order = CreationOrder()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def get(self, task_id: str) -> Task:
        """Return the task. O(1). Raises TaskNotFound."""
        try:
            return self._tasks[task_id]
        except KeyError:
            raise errors.TaskNotFound(f"there is no task {task_id[:64]}") from None

    def page(
        self, limit: int, after: Task | None = None, status: Status | None = None
    ) -> list[Task]:
        """Return up to `limit` tasks in order of creation, those after `after`, of one status.

        O(limit + log n); O(n) where few tasks have the status, or many were deleted of late.
        """
        tasks = map(self._tasks.__getitem__, self._order.ids_after(after))
        wanted = (task for task in tasks if status is None or task.status is status)
        return list(islice(wanted, limit))

    def next_number(self) -> int:
        """Give the next place in the order of creation."""
        self._last_number += 1
        return self._last_number

    def create(self, fields: Mapping[str, Any]) -> Task:
        """Add a task with these checked fields. Raises StoreFull."""
        task = new_task(self.next_number(), fields)
        self.insert(task)
        return task

    def insert(self, task: Task) -> None:
        """Add a task that is whole already. Raises StoreFull."""
        if len(self._tasks) >= MAX_TASKS:
            raise errors.StoreFull(f"the store has {MAX_TASKS} tasks and takes no more")
        self.apply([Change(None, task)])

    def update(self, task_id: str, fields: Mapping[str, Any]) -> Task:
        """Merge checked fields into a task; return it as it is then. Raises TaskNotFound."""
        before = self.get(task_id)
        if all(getattr(before, name) == value for name, value in fields.items()):
            return before
        after = changed(before, fields)
        self.apply([Change(before, after)])
        return after

    def delete(self, task_id: str) -> None:
        """Drop a task. Raises TaskNotFound."""
        self.apply([Change(self.get(task_id), None)])

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes that have been checked, all together. O(1) for each task touched."""
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
            self._order.drop(before)
