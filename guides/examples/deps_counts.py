"""Counts what the wrong turns of guide 4 look at, and what the code of the step does."""

from random import Random
from unittest.mock import patch

from deps_release import row, table, task

from taskflow.dependencies import DependencyGraph, PrerequisiteList
from taskflow.store import Store
from taskflow.tasks import Change, Status

SIZES = (1_000, 10_000, 100_000)


def random_tasks(size: int, random: Random) -> dict[str, tuple[str, ...]]:
    """Return tasks with two prerequisites each, drawn from those before them."""
    return {
        str(number): tuple({str(random.randrange(number)): None for _ in range(2 if number else 0)})
        for number in range(size)
    }


def deletes() -> None:
    """Print what it takes to delete the middle one of n tasks."""
    table("tasks", "the deleted one has", "our delete touches", "a sweep looks at")
    for size in SIZES:
        tasks = random_tasks(size, Random(4))
        graph = DependencyGraph()
        for name, prerequisites in tasks.items():
            graph.apply(Change(None, task(name, *prerequisites)))
        gone = str(size // 2)
        dependents = graph.dependents(gone)
        has = f"prerequisites: {len(tasks[gone])}, dependents: {len(dependents)}"
        # Each edge that is cut, and each that moves to the end of its list, is one `remove`.
        remove = PrerequisiteList.remove
        with patch.object(PrerequisiteList, "remove", autospec=True, side_effect=remove) as touch:
            for name in dependents:
                rest = tuple(item for item in tasks[name] if item != gone)
                graph.apply(Change(task(name, *tasks[name]), task(name, *rest)))
            graph.apply(Change(task(gone, *tasks[gone]), None))
        looked_at = sum(len(prerequisites) for prerequisites in tasks.values())
        row(f"{size:,}", has, f"{touch.call_count} edges", f"{looked_at:,} edges")


def scans() -> None:
    """Print how many tasks a search for a ready one looks at, if n urgent ones are blocked."""
    table("blocked tasks", "a scan looks at", "our heap holds")
    for size in SIZES:
        store = Store()
        blocker = store.create({"title": "first", "status": Status.IN_PROGRESS})
        for _ in range(size):
            store.create({"title": "waits", "priority": 9, "dependencies": (blocker.id,)})
        ready = store.create({"title": "ready"})
        assert store.next_ready() == ready
        looked_at = 0
        for one in store.page(size + 2):
            looked_at += 1
            finished = (store.get(item).status is Status.COMPLETED for item in one.dependencies)
            if one.status is Status.PENDING and all(finished):
                break
        row(f"{size:,}", f"{looked_at:,} tasks", f"{len(store.queued())} task")
