"""Prerequisites: a directed graph between tasks, without cycles.

    graph.apply(change)          follow a change of one task: O(edges of that task)
    graph.is_blocked(id)         whether it has an unfinished prerequisite: O(1)
    graph.find_cycle(id, ids)    the cycle that new prerequisites would close: O(tasks above it)
    graph.order([id])            each task after all that it depends on: O(tasks + edges reached)

Each edge is kept twice: forwards in the list of a task's prerequisites, and backwards in the set
of a task's dependents, so that the dependents of a deleted task are found without a search. The
caller must refuse a cycle before it applies the change that would close it.

Nothing here is recursive. A chain of tasks may be a million long, and Python's stack is a thousand
calls deep.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from taskflow.tasks import Change, Status, Task


@dataclass(slots=True, eq=False)
class Node:
    """One element of a PrerequisiteList."""

    task_id: str
    previous: "Node | None" = None
    next: "Node | None" = None


class PrerequisiteList:
    """A doubly linked list of task ids in the order in which they were added.

    A dict finds the node of an id in O(1), and the links close the gap that a removed node leaves
    in O(1). In an array, both would be O(n).
    """

    __slots__ = ("_nodes", "first", "last")

    def __init__(self) -> None:
        self.first: Node | None = None
        self.last: Node | None = None
        self._nodes: dict[str, Node] = {}

    def __iter__(self) -> Iterator[str]:
        node = self.first
        while node is not None:
            yield node.task_id
            node = node.next

    def append(self, task_id: str) -> None:
        """Add an id at the end. It must not be in the list already. O(1)."""
        node = Node(task_id, previous=self.last)
        self._nodes[task_id] = node
        if self.last is None:
            self.first = node
        else:
            self.last.next = node
        self.last = node

    def remove(self, task_id: str) -> None:
        """Remove an id, wherever it is. O(1). Raises KeyError."""
        node = self._nodes.pop(task_id)
        if node.previous is None:
            self.first = node.next
        else:
            node.previous.next = node.next
        if node.next is None:
            self.last = node.previous
        else:
            node.next.previous = node.previous


class DependencyGraph:
    """The edges between tasks, and how many unfinished prerequisites each task has."""

    def __init__(self) -> None:
        self._prerequisites: dict[str, PrerequisiteList] = {}

        # The inner dict is a set that keeps the order of insertion.
        self._dependents: dict[str, dict[str, None]] = {}

        # The number of unfinished prerequisites, for the tasks that have any.
        self._unfinished: dict[str, int] = {}
        self._completed: set[str] = set()

    def dependents(self, task_id: str) -> list[str]:
        """Return the tasks that depend on this one. O(dependents)."""
        return list(self._dependents.get(task_id, ()))

    def is_blocked(self, task_id: str) -> bool:
        """Return whether the task has an unfinished prerequisite. O(1)."""
        return task_id in self._unfinished

    def apply(self, change: Change) -> list[str]:
        """Follow a change of one task, and return the tasks whose readiness may have changed.

        O(prerequisites of the task), and O(its dependents) if it was completed or reopened.
        """
        task_id, before, after = change.task_id, change.before, change.after
        wanted = after.dependencies if after else ()
        if wanted != (before.dependencies if before else ()):
            self._relink(task_id, wanted)
        finished = _is_completed(after)
        if finished == _is_completed(before):
            return [task_id]
        if finished:
            self._completed.add(task_id)
        else:
            self._completed.remove(task_id)
        dependents = self.dependents(task_id)
        for dependent in dependents:
            self._count(dependent, -1 if finished else 1)
        return [task_id, *dependents]

    def _relink(self, task_id: str, wanted: tuple[str, ...]) -> None:
        """Replace the edges of a task with these, in their order."""
        edges = self._prerequisites.setdefault(task_id, PrerequisiteList())
        had = set(edges)
        for prerequisite in had.difference(wanted):
            edges.remove(prerequisite)
            del self._dependents[prerequisite][task_id]
            if not self._dependents[prerequisite]:
                del self._dependents[prerequisite]
            self._count(task_id, 0 if prerequisite in self._completed else -1)
        for prerequisite in wanted:
            if prerequisite in had:
                # It moves to the end.
                edges.remove(prerequisite)
            else:
                self._dependents.setdefault(prerequisite, {})[task_id] = None
                self._count(task_id, 0 if prerequisite in self._completed else 1)
            edges.append(prerequisite)
        if edges.first is None:
            del self._prerequisites[task_id]

    def _count(self, task_id: str, difference: int) -> None:
        """Keep the number of unfinished prerequisites up to date, without entries of zero."""
        number = self._unfinished.pop(task_id, 0) + difference
        if number:
            self._unfinished[task_id] = number

    def order(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield the roots and all tasks below them, each after everything that it depends on.

        Depth first, in post-order (Cormen et al., Introduction to Algorithms, 20.4). The path
        from the root is a list instead of a call stack. Each of its entries is a task and the
        next edge to follow, which is a node of the task's linked list.
        """
        seen: set[str] = set()
        for root in roots:
            path = [] if root in seen else [(root, self._first_edge(root))]
            seen.add(root)
            while path:
                task_id, edge = path.pop()
                while edge is not None and edge.task_id in seen:
                    edge = edge.next
                if edge is None:
                    # Everything below the task has been yielded.
                    yield task_id
                else:
                    # Go down, and come back for the next edge.
                    path.append((task_id, edge.next))
                    path.append((edge.task_id, self._first_edge(edge.task_id)))
                    seen.add(edge.task_id)

    def _first_edge(self, task_id: str) -> Node | None:
        edges = self._prerequisites.get(task_id)
        return None if edges is None else edges.first

    def find_cycle(self, task_id: str, wanted: Iterable[str]) -> list[str] | None:
        """Return the cycle that these prerequisites would close, or None.

        Searches the dependents of the task, direct and indirect, for one of the prerequisites.
        In the path each task depends on the next, and the first and the last are the task itself.
        O(tasks + edges above the task), and O(1) without prerequisites.
        """
        forbidden = set(wanted)
        came_from = {task_id: task_id}
        to_visit = [task_id]
        while to_visit and forbidden:
            current = to_visit.pop()
            if current in forbidden:
                path = [task_id, current]
                while path[-1] != task_id:
                    path.append(came_from[path[-1]])
                return path
            for dependent in self._dependents.get(current, ()):
                if dependent not in came_from:
                    came_from[dependent] = current
                    to_visit.append(dependent)
        return None


def _is_completed(task: Task | None) -> bool:
    return task is not None and task.status is Status.COMPLETED
