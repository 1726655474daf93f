"""What must be finished before what: a directed graph without cycles.

    graph.apply(change)          follow a change of one task: O(edges of that task)
    graph.is_blocked(id)         does it wait for an unfinished prerequisite? O(1)
    graph.find_cycle(id, ids)    would these prerequisites close a cycle? O(tasks waiting for it)
    graph.order([id])            each task after all that it depends on: O(tasks + edges reached)

An edge is kept twice: forwards in the list of a task's prerequisites, and backwards in the set of
a task's dependents, so that a deleted task finds those that waited for it without a search. The
graph trusts its caller to refuse a cycle before it applies the change that would close it.

Nothing here recurses. A chain of tasks may be a million long; Python's stack is a thousand deep.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from taskflow.tasks import Change, Status, Task


@dataclass(slots=True, eq=False)
class Node:
    """One place in a PrerequisiteList."""

    task_id: str
    previous: "Node | None" = None
    next: "Node | None" = None


class PrerequisiteList:
    """A doubly linked list of task ids in the order in which they were added.

    A dict of the nodes stands beside it: the dict finds a node in O(1), the links close the gap
    that it leaves in O(1). In an array, either would be O(n).
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
        """Add an id, which must not be in the list, at its end. O(1)."""
        node = self._nodes[task_id] = Node(task_id, previous=self.last)
        if self.last is None:
            self.first = node
        else:
            self.last.next = node
        self.last = node

    def remove(self, task_id: str) -> None:
        """Take an id out, from wherever it is. O(1). Raises KeyError."""
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
        self._dependents: dict[str, dict[str, None]] = {}  # a set in order of insertion
        self._unfinished: dict[str, int] = {}  # how many prerequisites a task waits for, if any
        self._completed: set[str] = set()

    def prerequisites(self, task_id: str) -> list[str]:
        """Return what the task depends on, in the order given. O(prerequisites)."""
        return list(self._prerequisites.get(task_id, ()))

    def dependents(self, task_id: str) -> list[str]:
        """Return the tasks that depend on this one. O(dependents)."""
        return list(self._dependents.get(task_id, ()))

    def is_blocked(self, task_id: str) -> bool:
        """Return whether the task waits for an unfinished prerequisite. O(1)."""
        return task_id in self._unfinished

    def apply(self, change: Change) -> list[str]:
        """Follow a change of one task; return whose readiness it may have altered.

        O(prerequisites of the task), and O(its dependents) if it is finished or reopened.
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
        """Make the edges of a task those that are wanted, in their order."""
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
                edges.remove(prerequisite)  # it moves to the end
            else:
                self._dependents.setdefault(prerequisite, {})[task_id] = None
                self._count(task_id, 0 if prerequisite in self._completed else 1)
            edges.append(prerequisite)
        if edges.first is None:
            del self._prerequisites[task_id]

    def _count(self, task_id: str, difference: int) -> None:
        """Keep the number of unfinished prerequisites; a task without any is not in it."""
        number = self._unfinished.pop(task_id, 0) + difference
        if number:
            self._unfinished[task_id] = number

    def order(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield the roots and all below them, each after everything that it depends on.

        Depth first, in post-order (Cormen et al., Introduction to Algorithms, 20.4). The path
        from the root is a list of our own, and a place in it is a task with the next edge to
        follow: a node of its linked list.
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
                    yield task_id  # all below it is done
                else:  # go down, and come back for the next edge
                    path.append((task_id, edge.next))
                    path.append((edge.task_id, self._first_edge(edge.task_id)))
                    seen.add(edge.task_id)

    def _first_edge(self, task_id: str) -> Node | None:
        edges = self._prerequisites.get(task_id)
        return None if edges is None else edges.first

    def find_cycle(self, task_id: str, wanted: Iterable[str]) -> list[str] | None:
        """Return the cycle that these prerequisites would close, None if there is none.

        Looks through all that waits for the task, directly or not, whether the task would wait
        for that. In the path each task depends on the next; the first and the last are the task.
        O(tasks + edges above it); O(1) if there is nothing to wait for.
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
