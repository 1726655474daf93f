"""What must be finished before what: a directed graph without cycles.

    graph.apply(change)          follow a change of one task: O(edges of that task)
    graph.is_blocked(id)         does it wait for an unfinished prerequisite? O(1)
    graph.find_cycle(id, ids)    would these prerequisites close a cycle? O(edges reached)
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

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[str]:
        node = self.first
        while node is not None:
            yield node.task_id
            node = node.next

    def append(self, task_id: str) -> None:
        """Add an id at the end. O(1). Raises ValueError if it is there already."""
        if task_id in self._nodes:
            raise ValueError(f"{task_id} is in the list already")
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
        self._unfinished: dict[str, int] = {}  # how many prerequisites a task waits for
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
        task_id = change.task_id
        wanted = change.after.dependencies if change.after else ()
        if wanted != (change.before.dependencies if change.before else ()):
            self._relink(task_id, wanted)
        affected = [task_id]
        if _is_completed(change.before) != _is_completed(change.after):
            affected += self._dependents.get(task_id, ())
            self._set_completed(task_id, _is_completed(change.after))
        return affected

    def _relink(self, task_id: str, wanted: tuple[str, ...]) -> None:
        keep = set(wanted)
        for prerequisite in self.prerequisites(task_id):
            if prerequisite not in keep:
                self._unlink(task_id, prerequisite)
        for prerequisite in wanted:
            self._link(task_id, prerequisite)

    def _link(self, task_id: str, prerequisite: str) -> None:
        """Add an edge, or move one that is there to the end of its list. O(1)."""
        edges = self._prerequisites.setdefault(task_id, PrerequisiteList())
        if prerequisite in edges:
            edges.remove(prerequisite)
        else:
            self._dependents.setdefault(prerequisite, {})[task_id] = None
            if prerequisite not in self._completed:
                self._count(task_id, 1)
        edges.append(prerequisite)

    def _unlink(self, task_id: str, prerequisite: str) -> None:
        """Take an edge out of both indexes. O(1)."""
        edges = self._prerequisites[task_id]
        edges.remove(prerequisite)
        if not edges:
            del self._prerequisites[task_id]
        dependents = self._dependents[prerequisite]
        del dependents[task_id]
        if not dependents:
            del self._dependents[prerequisite]
        if prerequisite not in self._completed:
            self._count(task_id, -1)

    def _set_completed(self, task_id: str, completed: bool) -> None:
        if completed:
            self._completed.add(task_id)
        else:
            self._completed.discard(task_id)
        for dependent in self._dependents.get(task_id, ()):
            self._count(dependent, -1 if completed else 1)

    def _count(self, task_id: str, difference: int) -> None:
        """Keep the number of unfinished prerequisites; a task that has none is not in it."""
        number = self._unfinished.get(task_id, 0) + difference
        if number:
            self._unfinished[task_id] = number
        else:
            del self._unfinished[task_id]

    def order(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield the roots and all below them, each after everything that it depends on.

        Depth first, in post-order (Cormen et al., Introduction to Algorithms, 20.4). The path
        from the root is a list of our own, and a place in it is a task with the next edge to
        follow: a node of its linked list.
        """
        seen: set[str] = set()
        path: list[tuple[str, Node | None]] = []
        for root in roots:
            if root in seen:
                continue
            seen.add(root)
            task_id, edge = root, self._first_edge(root)
            while True:
                while edge is not None and edge.task_id in seen:
                    edge = edge.next
                if edge is not None:  # go down
                    path.append((task_id, edge.next))
                    task_id = edge.task_id
                    seen.add(task_id)
                    edge = self._first_edge(task_id)
                    continue
                yield task_id  # all below it is done
                if not path:
                    break
                task_id, edge = path.pop()  # go up

    def _first_edge(self, task_id: str) -> Node | None:
        edges = self._prerequisites.get(task_id)
        return None if edges is None else edges.first

    def find_cycle(self, task_id: str, wanted: Iterable[str]) -> list[str] | None:
        """Return the cycle that these prerequisites would close, None if there is none.

        The first and the last id of the path are the task's; each depends on the next.
        O(tasks + edges below the wanted ones); O(wanted) if nothing depends on the task.
        """
        came_from = dict.fromkeys(wanted, task_id)
        if task_id not in self._dependents and task_id not in came_from:
            return None
        to_visit = list(came_from)
        while to_visit and task_id not in came_from:
            current = to_visit.pop()
            for prerequisite in self._prerequisites.get(current, ()):
                if prerequisite not in came_from:
                    came_from[prerequisite] = current
                    to_visit.append(prerequisite)
        return _path_back(task_id, came_from) if task_id in came_from else None


def _path_back(task_id: str, came_from: dict[str, str]) -> list[str]:
    path = [task_id]
    while (step := came_from[path[-1]]) != task_id:
        path.append(step)
    return [task_id, *reversed(path[1:]), task_id]


def _is_completed(task: Task | None) -> bool:
    return task is not None and task.status is Status.COMPLETED
