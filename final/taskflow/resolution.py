"""The order in which tasks can be done, found in portions, so that other requests run in between.

    resolution = Resolution(tasks, roots, limit)
    for portion in resolution.portions():       other work may run after each portion
        …
    resolution.apply(change)                    before each change of a task, meanwhile: O(1)

The search sees all tasks as they were when it began. A task that changes meanwhile is remembered
in its earlier version, as a database does that keeps an undo log for its readers.
"""

from collections.abc import Iterable, Iterator, Mapping

from taskflow.errors import ResultTooLarge
from taskflow.tasks import Change, Task

# Steps of the search between two portions, each of which follows an edge or ends a task. A step
# skips the edges that lead to tasks seen before, up to 1,000.
STEPS = 500


class Resolution:
    """One search through tasks that may change meanwhile."""

    def __init__(self, tasks: Mapping[str, Task], roots: Iterable[Task], limit: int) -> None:
        self._tasks = tasks
        self._roots = roots
        self._limit = limit

        # The tasks that have changed since the search began, as they were before.
        self._earlier: dict[str, Task | None] = {}

    def apply(self, change: Change) -> None:
        """Keep the earlier version of a task that changes. O(1)."""
        self._earlier.setdefault(change.task_id, change.before)

    def portions(self) -> Iterator[list[Task]]:
        """Yield the roots and all tasks below them, each after everything that it depends on.

        Depth first, in post-order, like DependencyGraph.order. O(tasks + edges) in all, with at
        most STEPS tasks and 1,000 times as many edges in a portion. Raises ResultTooLarge as soon
        as more than `limit` tasks are found.
        """
        seen: set[str] = set()
        portion: list[Task] = []
        steps = 0
        for root in self._roots:
            path = [] if root.id in seen else [(root, iter(root.dependencies))]
            seen.add(root.id)
            while path:
                task, edges = path[-1]
                task_id = next((edge for edge in edges if edge not in seen), None)
                if task_id is None:
                    # Everything below the task is in the order.
                    path.pop()
                    portion.append(task)
                else:
                    prerequisite = self._task(task_id)
                    path.append((prerequisite, iter(prerequisite.dependencies)))
                    seen.add(task_id)
                if len(seen) > self._limit:
                    raise ResultTooLarge(f"the order has more than {self._limit} tasks")
                steps += 1
                if steps % STEPS == 0:
                    yield portion
                    portion = []
        yield portion

    def _task(self, task_id: str) -> Task:
        return self._earlier.get(task_id) or self._tasks[task_id]
