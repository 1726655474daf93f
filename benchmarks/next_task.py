"""The most urgent task: by sorting all of them, by looking at all of them, and from the heap."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.clock import Stopwatch, stopwatch
from benchmarks.tasks import make_tasks

TITLE = "Take the most urgent of n tasks"
UNIT = "s"
IN_WORKER = True
REFERENCES = {"to_heap": {"label": "heap"}}

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
WORK = 3_000_000  # tasks that may be passed in one measurement

Take = Callable[[], Any]


def cases(quick: bool) -> list[Case]:
    """The three ways, at every size."""
    sizes = SIZES[:2] if quick else SIZES
    return [Case(label, n, step=3) for n in sizes for label in WAYS]


def measure(case: Case, quick: bool) -> list[Row]:
    """Take up to a tenth of the tasks, several times if they are few."""
    tasks = make_tasks(case.n)
    wanted = 10_000 if case.label == "heap" else max(5, min(2_000, WORK // case.n))
    wanted = 20 if quick else wanted
    total = Stopwatch()
    taken = 0
    while taken < wanted:
        take = WAYS[case.label](tasks)
        some = min(case.n // 10, wanted - taken)
        with stopwatch() as watch:
            for _ in range(some):
                take()
        taken += some
        total.seconds += watch.seconds
    return [{"value": total.seconds / taken}]


def _rank(task: Any) -> tuple[int, int]:
    return task.priority, -task.number


def by_sorting(tasks: list[Any]) -> Take:
    """Sort them all each time, and take the first. O(n log n)."""
    waiting = {task.id: task for task in tasks}

    def take() -> Any:
        by_urgency = sorted(waiting.values(), key=_rank, reverse=True)
        return waiting.pop(by_urgency[0].id)

    return take


def by_looking(tasks: list[Any]) -> Take:
    """Look at each, and remember the most urgent. O(n)."""
    waiting = {task.id: task for task in tasks}

    def take() -> Any:
        return waiting.pop(max(waiting.values(), key=_rank).id)

    return take


def from_the_heap(tasks: list[Any]) -> Take:
    """Pop the root. O(log n)."""
    waiting = {task.id: task for task in tasks}
    heap = import_module("taskflow.heap").PriorityHeap()
    for task in tasks:
        heap.push(task.id, _rank(task))

    def take() -> Any:
        return waiting.pop(heap.pop())

    return take


WAYS = {"sort": by_sorting, "look at all": by_looking, "heap": from_the_heap}
