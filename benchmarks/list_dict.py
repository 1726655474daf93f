"""Finding a task by its id: the list of step 1 against the dict of step 2."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.clock import stopwatch
from benchmarks.tasks import fresh, make_tasks, spread

TITLE = "One look-up by id"
UNIT = "s"
IN_WORKER = True
REFERENCES = {"to_dict": {"label": "dict"}}

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
WORK = 20_000_000  # tasks that the list may pass in one measurement
ABSENT = "ffffffff-ffff-4fff-bfff-ffffffffffff"


def cases(quick: bool) -> list[Case]:
    """Both, at every size. The tasks of both are those of step 2."""
    sizes = SIZES[:2] if quick else SIZES
    return [Case(label, n, step=2) for n in sizes for label in ("list", "dict")]


def measure(case: Case, quick: bool) -> list[Row]:
    """Look for tasks all over the store, and for one that is not there."""
    tasks = make_tasks(case.n)
    number = max(20, min(20_000, WORK // case.n)) if case.label == "list" else 100_000
    number = 100 if quick else number
    ids = [tasks[place].id for place in spread(case.n, number)]
    find = list_finder(tasks) if case.label == "list" else dict_finder(tasks)
    return [
        {"operation": "average", "value": _look_up(find, fresh(ids))},
        {"operation": "not there", "value": _look_up(find, fresh([ABSENT] * number))},
    ]


def list_finder(tasks: list[Any]) -> Callable[[str], Any]:
    """Return step 1's way: `TaskRoutes.read` is this loop."""

    def find(task_id: str) -> Any:
        for task in tasks:
            if task.id == task_id:
                return task
        return None

    return find


def dict_finder(tasks: Iterable[Any]) -> Callable[[str], Any]:
    """Return step 2's way: `Store.get`."""
    store = import_module("taskflow.store").Store()
    missing: type[Exception] = import_module("taskflow.errors").TaskNotFound
    change = import_module("taskflow.tasks").Change
    for task in tasks:
        store.apply([change(None, task)])

    def find(task_id: str) -> Any:
        try:
            return store.get(task_id)
        except missing:
            return None

    return find


def _look_up(find: Callable[[str], Any], ids: list[str]) -> float:
    with stopwatch() as watch:
        for task_id in ids:
            find(task_id)
    return watch.seconds / len(ids)
