"""The store: the tasks in a hash map, by id, and the indexes that follow every change.

The store knows nothing about HTTP. Every change passes through one method, `apply`, as a list of
tasks before and after, and every check that can refuse a change comes before that. So a change
happens as a whole or not at all, and an index that must follow the tasks has one place to do so.

No method awaits anything, so no other request runs between its first line and its last.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from taskflow import errors
from taskflow.dependencies import DependencyGraph
from taskflow.heap import PriorityHeap
from taskflow.tasks import Change, Status, Task, changed, new_task

MAX_TASKS = 1_000_000

# Tasks in the response to one request.
MAX_RESOLVED = 100_000


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
        self._queue = PriorityHeap()
        self._graph = DependencyGraph()
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
        """Add a task with these checked fields, and return it.

        Raises MissingDependency, StoreFull.
        """
        task = new_task(self.next_number(), fields)
        self.insert(task)
        return task

    def insert(self, task: Task) -> None:
        """Add a complete task. Raises MissingDependency, StoreFull."""
        self._check_known(task.dependencies)
        if len(self._tasks) >= MAX_TASKS:
            raise errors.StoreFull(f"the store has {MAX_TASKS} tasks and takes no more")
        self.apply([Change(None, task)])

    def update(self, task_id: str, fields: Mapping[str, Any]) -> Task:
        """Merge checked fields into a task, and return its new version.

        Raises MissingDependency, TaskNotFound, CycleDetected.
        """
        dependencies = fields.get("dependencies", ())
        self._check_known(dependencies)
        before = self.get(task_id)
        if all(getattr(before, name) == value for name, value in fields.items()):
            return before
        cycle = self._graph.find_cycle(task_id, dependencies)
        if cycle is not None:
            raise errors.CycleDetected(f"{task_id} would wait for itself", cyclePath=cycle)
        after = changed(before, fields)
        self.apply([Change(before, after)])
        return after

    def delete(self, task_id: str) -> None:
        """Delete a task, and the edges of the tasks that depend on it. Raises TaskNotFound."""
        task = self.get(task_id)
        dependents = [self._tasks[dependent] for dependent in self._graph.dependents(task_id)]
        changes = [Change(dependent, _without(dependent, task_id)) for dependent in dependents]
        self.apply([*changes, Change(task, None)])

    def next_ready(self) -> Task | None:
        """Return the most urgent ready task, or None. O(1)."""
        task_id = self._queue.peek()
        return None if task_id is None else self._tasks[task_id]

    def claim(self) -> Task | None:
        """Put the most urgent ready task in progress, and return it or None. O(log n).

        Two clients never get the same task, because no other request runs in between.
        """
        task = self.next_ready()
        return None if task is None else self.update(task.id, {"status": Status.IN_PROGRESS})

    @property
    def ready_count(self) -> int:
        """The number of ready tasks. O(1)."""
        return len(self._queue)

    def queued(self, limit: int | None = None) -> list[Task]:
        """Return up to `limit` ready tasks, or all, in the order of the heap's array. O(limit)."""
        return [self._tasks[task_id] for task_id in self._queue.items(limit)]

    def resolve(self, task_id: str | None = None) -> list[Task]:
        """Return a task and all tasks below it, or all tasks, each after its prerequisites.

        O(tasks + edges). Raises TaskNotFound, and ResultTooLarge over MAX_RESOLVED tasks.
        """
        roots = self._order.ids_after(0) if task_id is None else [self.get(task_id).id]
        ids = list(islice(self._graph.order(roots), MAX_RESOLVED + 1))
        if len(ids) > MAX_RESOLVED:
            raise errors.ResultTooLarge(f"the order has more than {MAX_RESOLVED} tasks")
        return [self._tasks[task_id] for task_id in ids]

    def apply(self, changes: Sequence[Change]) -> None:
        """Make checked changes, all of them together. O(log n) for each task touched."""
        for change in changes:
            self._put(change)
            for task_id in self._graph.apply(change):
                self._requeue(task_id)

    def _put(self, change: Change) -> None:
        before, after = change.before, change.after
        if after is not None:
            self._tasks[after.id] = after
            if before is None:
                self._order.add(after)
        elif before is not None:
            del self._tasks[before.id]
            self._order.remove(before)

    def _requeue(self, task_id: str) -> None:
        """Keep the task in the queue while it is ready, and out of it otherwise. O(log n)."""
        task = self._tasks.get(task_id)
        if task is None or task.status is not Status.PENDING or self._graph.is_blocked(task_id):
            if task_id in self._queue:
                self._queue.remove(task_id)
        elif task_id in self._queue:
            self._queue.update(task_id, (task.priority, -task.number))
        else:
            self._queue.push(task_id, (task.priority, -task.number))

    def _check_known(self, task_ids: Iterable[str]) -> None:
        for task_id in task_ids:
            if task_id not in self._tasks:
                message = f"there is no task {task_id[:64]}"
                raise errors.MissingDependency(message, missingTaskId=task_id)


def _without(task: Task, prerequisite: str) -> Task:
    rest = tuple(item for item in task.dependencies if item != prerequisite)
    return changed(task, {"dependencies": rest})
