"""The store: the tasks in a hash map, by id, and the indexes that follow every change.

The store knows nothing about HTTP. Every change passes through one method, `apply`, as a list of
tasks before and after, and every check that can refuse a change comes before that. So a change
happens as a whole or not at all, and an index that must follow the tasks has one place to do so.

No method awaits anything, so no other request runs between its first line and its last.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from taskflow import errors
from taskflow.dependencies import DependencyGraph
from taskflow.heap import PriorityHeap
from taskflow.resolution import Resolution
from taskflow.tasks import Change, Status, Task, changed, new_task

MAX_TASKS = 1_000_000

# Tasks in the response to one request.
MAX_RESOLVED = 100_000


# Consecutive numbers in a block. A million tasks are a thousand blocks of a thousand tasks.
BLOCK = 1024

# Tasks by their numbers, for each status.
Block = dict[Status, dict[int, Task]]


class CreationOrder:
    """The tasks in order of creation, also those in one status alone, in blocks.

        order.apply(change)            follow a change of one task: O(1), and O(BLOCK) for the first
                                       change of a block after a snapshot
        order.after(number, status)    the tasks with higher numbers: O(log blocks) to begin
        order.snapshot()               all tasks as they are now: O(blocks)

    A block holds the tasks of BLOCK consecutive numbers by their status. So a page of one status
    passes whole blocks and never a task in another status, and a deleted task leaves nothing
    behind. A snapshot shares the blocks. A change copies a block first if a snapshot shares it
    (copy on write).

    The steps have a list instead, which a page of a rare status searches to its end: half a second
    at a million tasks, in which no other request would be served.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}

        # The keys of the blocks, in rising order.
        self._keys: list[int] = []

        # The keys of the blocks that a snapshot may share.
        self._shared: set[int] = set()

    def apply(self, change: Change) -> None:
        """Follow a change of one task. O(1), apart from blocks that begin, end or are shared."""
        before, after = change.before, change.after
        task = after or before
        assert task is not None
        key = task.number // BLOCK
        block = self._blocks.get(key)
        if block is None or key in self._shared:
            block = self._writable(key)
        if before is not None:
            del block[before.status][before.number]
        if after is not None:
            block[after.status][after.number] = after
        elif not any(block.values()):
            del self._blocks[key]
            del self._keys[bisect_left(self._keys, key)]

    def _writable(self, key: int) -> Block:
        """Begin a block, or copy one that a snapshot may share, and return it."""
        if key in self._blocks:
            block = {status: tasks.copy() for status, tasks in self._blocks[key].items()}
            self._shared.discard(key)
        else:
            block = {status: {} for status in Status}
            insort(self._keys, key)
        self._blocks[key] = block
        return block

    def after(self, number: int, status: Status | None = None) -> Iterator[Task]:
        """Yield the tasks with higher numbers, in rising order, and only those with the status.

        O(log blocks) for the first block, then O(1) for each block passed, and O(BLOCK log BLOCK)
        for each block with such tasks. The order must not change meanwhile.
        """
        start = bisect_left(self._keys, number // BLOCK)
        for index in range(start, len(self._keys)):
            for task in _sorted(self._blocks[self._keys[index]], status):
                if task.number > number:
                    yield task

    def snapshot(self) -> Iterator[Task]:
        """Return an iterator over all tasks as they are now. O(blocks), then O(1) for each task."""
        self._shared.update(self._keys)
        blocks = [self._blocks[key] for key in self._keys]
        return chain.from_iterable(map(_sorted, blocks))


def _sorted(block: Block, status: Status | None = None) -> list[Task]:
    """Return the tasks of a block, or those with the status, by rising number."""
    if status is not None:
        tasks = block[status]
    else:
        tasks = {number: task for part in block.values() for number, task in part.items()}
    return [tasks[number] for number in sorted(tasks)]


class Store:
    """All tasks. Reading, changing and deleting one by its id is O(1), plus the indexes."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._order = CreationOrder()
        self._queue = PriorityHeap()
        self._graph = DependencyGraph()
        self._last_number = 0

        # Searches for an order that are under way.
        self._resolutions: set[Resolution] = set()

        # Rises with every change.
        self.version = 0

        # The number of tasks in each status.
        self.counts: Counter[Status] = Counter()

        # Called with the changes, after they have been made, but not when they are undone.
        self.listeners: list[Callable[[Sequence[Change]], None]] = []

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

        O(limit), whatever status it is and however many tasks were deleted; CreationOrder has
        the details.
        """
        return list(islice(self._order.after(after, status), limit))

    def snapshot(self) -> list[Task]:
        """Return all tasks as they are now, in order of creation. O(n)."""
        return list(self._order.snapshot())

    def in_order(self) -> Iterator[Task]:
        """Return an iterator over all tasks as they are now, in order of creation.

        Unlike a list of a million tasks, it holds the event loop for less than a millisecond.
        Changes that are made before its end do not show. O(1) for each task, and for the first
        change of each thousand tasks O(1,000).
        """
        return self._order.snapshot()

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
        """Add a complete task.

        Raises ValidationError if its id exists already, MissingDependency, StoreFull.
        """
        if task.id in self._tasks:
            raise errors.ValidationError("id", "exists already")
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

        O(tasks + edges), all at once. Raises TaskNotFound, and ResultTooLarge over MAX_RESOLVED
        tasks.
        """
        return [task for portion in self.resolve_in_portions(task_id) for task in portion]

    def resolve_in_portions(self, task_id: str | None = None) -> Generator[list[Task], None, None]:
        """Yield the same order in portions, between which the store may change.

        The order is that of the tasks at the first portion. Raises what `resolve` raises.
        """
        if task_id is None and len(self._tasks) > MAX_RESOLVED:
            raise errors.ResultTooLarge(f"the order has more than {MAX_RESOLVED} tasks")
        roots = self.in_order() if task_id is None else [self.get(task_id)]
        resolution = Resolution(self._tasks, roots, MAX_RESOLVED)
        self._resolutions.add(resolution)
        try:
            yield from resolution.portions()
        finally:
            self._resolutions.remove(resolution)

    def apply(self, changes: Sequence[Change]) -> None:
        """Make checked changes, all of them together. O(log n) for each task touched."""
        self._follow(changes)
        for listener in self.listeners:
            listener(changes)

    def undo(self, changes: Sequence[Change]) -> None:
        """Take back changes, which must be the last that were made. No listener is called."""
        self._follow([Change(change.after, change.before) for change in reversed(changes)])

    def load(self, tasks: Sequence[Task]) -> None:
        """Take over stored tasks in order of creation, before there are any listeners."""
        self._follow([Change(None, task) for task in tasks])
        self._last_number = max((task.number for task in tasks), default=0)

    def _follow(self, changes: Sequence[Change]) -> None:
        self.version += 1
        for change in changes:
            self._put(change)
            for task_id in self._graph.apply(change):
                self._requeue(task_id)

    def _put(self, change: Change) -> None:
        for resolution in self._resolutions:
            resolution.apply(change)
        before, after = change.before, change.after
        if before is not None:
            self.counts[before.status] -= 1
        if after is not None:
            self.counts[after.status] += 1
            self._tasks[after.id] = after
        else:
            del self._tasks[change.task_id]
        self._order.apply(change)

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
