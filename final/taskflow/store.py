"""The tasks, by id: a hash map, and beside it the indexes that follow its changes.

Knows nothing of HTTP. Every change goes through one method, `apply`, as a list of tasks before
and after, and everything that may refuse a change does so before that. So a change happens whole
or not at all, and whatever must follow the tasks has one place to hook in.

No method awaits anything: between its first line and its last, nobody else runs.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from taskflow import errors
from taskflow.dependencies import DependencyGraph
from taskflow.heap import PriorityHeap
from taskflow.tasks import Change, Status, Task, changed, new_task

MAX_TASKS = 1_000_000
MAX_RESOLVED = 100_000  # tasks in one answer


class CreationOrder:
    """The ids in order of creation, for paging: a dict finds a key, but no place to go on from.

    A deleted task leaves its entry behind; when half the entries are of such, they are swept out.
    So add and drop are O(1) on average, and a page passes at most as many dead entries as living.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[int, str]] = []  # number and id, by rising number
        self._gone: set[int] = set()  # numbers of the entries left behind

    def add(self, task: Task) -> None:
        """Add a task. O(1) if its number is the highest so far, as it mostly is."""
        entry = task.number, task.id
        if not self._entries or entry > self._entries[-1]:
            self._entries.append(entry)
        elif task.number in self._gone:  # it comes back: a deletion is undone
            self._gone.discard(task.number)
        else:
            insort(self._entries, entry)

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
        self._queue = PriorityHeap()
        self._graph = DependencyGraph()
        self._last_number = 0
        self.listeners: list[Callable[[Sequence[Change]], None]] = []  # told after each change

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

    def snapshot(self) -> list[Task]:
        """Return all tasks as they are now, in order of creation. O(n).

        The dict is in that order already, but for what an import added late; and sorting what is
        almost sorted takes one pass: 4 ms for 100,000 tasks.
        """
        return sorted(self._tasks.values(), key=attrgetter("number"))

    def next_number(self) -> int:
        """Give the next place in the order of creation."""
        self._last_number += 1
        return self._last_number

    def create(self, fields: Mapping[str, Any]) -> Task:
        """Add a task with these checked fields. Raises MissingDependency, StoreFull."""
        task = new_task(self.next_number(), fields)
        self.insert(task)
        return task

    def insert(self, task: Task) -> None:
        """Add a task that is whole already.

        Raises ValidationError if its id exists, MissingDependency, StoreFull.
        """
        if task.id in self._tasks:
            raise errors.ValidationError("id", "exists already")
        self._check_known(task.dependencies)
        if len(self._tasks) >= MAX_TASKS:
            raise errors.StoreFull(f"the store has {MAX_TASKS} tasks and takes no more")
        self.apply([Change(None, task)])

    def update(self, task_id: str, fields: Mapping[str, Any]) -> Task:
        """Merge checked fields into a task; return it as it is then.

        Raises MissingDependency, TaskNotFound, CycleDetected.
        """
        self._check_known(fields.get("dependencies", ()))
        before = self.get(task_id)
        if all(getattr(before, name) == value for name, value in fields.items()):
            return before
        if cycle := self._graph.find_cycle(task_id, fields.get("dependencies", ())):
            raise errors.CycleDetected(f"{task_id} would wait for itself", cyclePath=cycle)
        after = changed(before, fields)
        self.apply([Change(before, after)])
        return after

    def delete(self, task_id: str) -> None:
        """Drop a task, and the edges of those that depended on it. Raises TaskNotFound."""
        task = self.get(task_id)
        dependents = [self._tasks[dependent] for dependent in self._graph.dependents(task_id)]
        changes = [Change(dependent, _without(dependent, task_id)) for dependent in dependents]
        self.apply([*changes, Change(task, None)])

    def next_ready(self) -> Task | None:
        """Return the most urgent ready task, None if none is ready. O(1)."""
        task_id = self._queue.peek()
        return None if task_id is None else self._tasks[task_id]

    def claim(self) -> Task | None:
        """Take the most urgent ready task: put it in progress and return it. O(log n).

        Two clients never get the same one, since nobody else runs between look and take.
        """
        task = self.next_ready()
        return None if task is None else self.update(task.id, {"status": Status.IN_PROGRESS})

    @property
    def ready_count(self) -> int:
        """How many tasks are ready. O(1)."""
        return len(self._queue)

    def queued(self) -> list[Task]:
        """Return the ready tasks in the order of the heap's array. O(n)."""
        return [self._tasks[task_id] for task_id in self._queue.items()]

    def resolve(self, task_id: str | None = None) -> list[Task]:
        """Return a task and all below it, or all tasks, each after what it depends on.

        O(tasks + edges). Raises TaskNotFound, and ResultTooLarge over MAX_RESOLVED tasks.
        """
        roots = self._order.ids_after(None) if task_id is None else [self.get(task_id).id]
        ids = list(islice(self._graph.order(roots), MAX_RESOLVED + 1))
        if len(ids) > MAX_RESOLVED:
            raise errors.ResultTooLarge(f"the order has more than {MAX_RESOLVED} tasks")
        return [self._tasks[task_id] for task_id in ids]

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes that have been checked, all together. O(log n) for each task touched."""
        self._follow(changes)
        for listener in self.listeners:
            listener(changes)

    def undo(self, changes: Sequence[Change]) -> None:
        """Take back changes that were the last to be made, without telling anybody."""
        self._follow([Change(change.after, change.before) for change in reversed(changes)])

    def load(self, tasks: Sequence[Task]) -> None:
        """Take over tasks that were stored, in order of creation, before anybody listens."""
        self._follow([Change(None, task) for task in tasks])
        self._last_number = max((task.number for task in tasks), default=0)

    def _follow(self, changes: Sequence[Change]) -> None:
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
            self._order.drop(before)

    def _requeue(self, task_id: str) -> None:
        """See to it that the task is in the queue if it is ready, and only then. O(log n)."""
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
