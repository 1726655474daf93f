"""How the cost of one operation grows: the shapes of O(1) to O(n²), and what a constant does.

A case is one contestant at all sizes, so each row names its own n: a hundred processes would take
longer to start than the whole measurement takes.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.clock import stopwatch
from benchmarks.tasks import SEED, fresh, spread

TITLE = "One operation on n items"
UNIT = "s"
IN_WORKER = True
REFERENCES: dict[str, dict[str, object]] = {}

ALL = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
FEW = (1, 2, 3, 5, 10, 20, 50)
WORK = 1_000_000  # items that may be passed in one measurement, by what is O(n) or more


def cases(quick: bool) -> list[Case]:
    """Each contestant of each operation, once."""
    return [
        Case(label, max(sizes), step=2, argument=operation)
        for operation, (sizes, contestants) in OPERATIONS.items()
        for label in contestants
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Measure one contestant at every size that it can bear."""
    sizes, contestants = OPERATIONS[case.argument]
    run = contestants[case.label]
    chosen = [n for n in sizes if n <= MOST.get(case.label, n)]
    return [
        {"operation": case.argument, "n": n, "value": run(n)}
        for n in (chosen[:2] if quick else chosen)
    ]


def repeated(n: int) -> range:
    """As many turns as WORK allows for something that passes n items."""
    return range(max(3, min(1_000, WORK // n)))


def new_ids(n: int) -> list[str]:
    """Return n ids, the same in every run."""
    names = random.Random(SEED)
    return [f"{names.getrandbits(128):032x}" for _ in range(n)]


def new_keys(n: int) -> list[tuple[int, int]]:
    """Return (priority, -number) for n tasks, the priorities random."""
    chosen = random.Random(SEED)
    return [(chosen.randrange(1_000), -number) for number in range(n)]


# --- shapes: one question of each kind


def look_up(n: int) -> float:
    """Is there a task with this id? O(1)."""
    ids = new_ids(n)
    tasks = dict.fromkeys(ids)
    wanted = fresh([ids[place] for place in spread(n, 50_000)])
    with stopwatch() as watch:
        for task_id in wanted:
            tasks[task_id]
    return watch.seconds / len(wanted)


def bisect(n: int) -> float:
    """Where does a number stand in a sorted list? O(log n)."""
    numbers = list(range(n))
    wanted = spread(n, 50_000)
    with stopwatch() as watch:
        for number in wanted:
            bisect_right(numbers, number)
    return watch.seconds / len(wanted)


def greatest(n: int) -> float:
    """Which is the most urgent? O(n)."""
    keys, turns = new_keys(n), repeated(n)
    with stopwatch() as watch:
        for _ in turns:
            max(keys)
    return watch.seconds / len(turns)


def sort(n: int) -> float:
    """All of them, by urgency. O(n log n)."""
    keys, turns = new_keys(n), repeated(n)
    with stopwatch() as watch:
        for _ in turns:
            sorted(keys)
    return watch.seconds / len(turns)


def all_pairs(n: int) -> float:
    """Are any two alike? Compare each with each. O(n²)."""
    ids, turns = new_ids(n), range(max(1, min(1_000, WORK // n**2)))
    with stopwatch() as watch:
        for _ in turns:
            for place, one in enumerate(ids):
                for other in ids[:place]:
                    if one == other:
                        raise AssertionError
    return watch.seconds / len(turns)


# --- place: where a page begins, in the order of creation of step 2


def stand_ins(n: int) -> list[Any]:
    """Return what `CreationOrder` wants to know of n tasks."""
    return [SimpleNamespace(number=number, id=name) for number, name in enumerate(new_ids(n), 1)]


def ordered(tasks: Sequence[Any]) -> Any:
    """Return step 2's order of these tasks."""
    order = import_module("taskflow.store").CreationOrder()
    for task in tasks:
        order.add(task)
    return order


def place_by_bisect(n: int) -> float:
    """Step 2's way: `ids_after` halves what is left."""
    tasks = stand_ins(n)
    order = ordered(tasks)
    wanted = [tasks[place] for place in spread(n - 1, 20_000)]
    with stopwatch() as watch:
        for task in wanted:
            next(order.ids_after(task.number))
    return watch.seconds / len(wanted)


def place_by_scan(n: int) -> float:
    """Pass all entries before the one."""
    entries = [(task.number, task.id) for task in stand_ins(n)]
    wanted = [entries[place] for place in spread(n - 1, len(repeated(n)))]

    def ids_after(number: int) -> Iterator[str]:
        found = False
        for entry in entries:
            if found:
                yield entry[1]
            found = found or entry[0] == number

    with stopwatch() as watch:
        for number, _ in wanted:
            next(ids_after(number))
    return watch.seconds / len(wanted)


# --- front: a queue with n waiting; one comes in at one end, one leaves at the other


def front_of_list(n: int) -> float:
    """Take the first of a list, and all others move up."""
    waiting, turns = list(range(n)), range(2_000)
    with stopwatch() as watch:
        for item in turns:
            waiting.append(item)
            waiting.pop(0)
    return watch.seconds / len(turns)


def front_of_deque(n: int) -> float:
    """Take the first of a deque."""
    waiting, turns = deque(range(n)), range(100_000)
    with stopwatch() as watch:
        for item in turns:
            waiting.append(item)
            waiting.popleft()
    return watch.seconds / len(turns)


# --- append: one of n additions


def append(n: int) -> float:
    """Add n items to a list, which grows now and then."""
    turns = repeated(n)
    with stopwatch() as watch:
        for _ in turns:
            items: list[int] = []
            for item in range(n):
                items.append(item)  # noqa: PERF402 - one by one is what is measured
    return watch.seconds / len(turns) / n


def copy(n: int) -> float:
    """Make a new list for each item."""
    turns = range(max(1, min(1_000, WORK // n**2)))
    with stopwatch() as watch:
        for _ in turns:
            items: list[int] = []
            for item in range(n):
                items = items + [item]  # noqa: RUF005 - the copy is what is measured
    return watch.seconds / len(turns) / n


# --- hash: one of n keys put into a dict


class Key:
    """A key with a hash as good as that of its number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.number == other.number


class SameHash(Key):
    """A key that has the hash of all others."""

    def __hash__(self) -> int:
        return hash(1)


def filled(key: type[Key]) -> Callable[[int], float]:
    """Return what puts n keys of a kind into a dict."""

    def run(n: int) -> float:
        keys = [key(number) for number in range(n)]
        turns = range(3_000 // n)
        with stopwatch() as watch:
            for _ in turns:
                dict.fromkeys(keys)
        return watch.seconds / len(turns) / n

    return run


# --- few: one look-up among a handful of ids


def few_in_list(n: int) -> float:
    """Scan a list that is there."""
    ids = new_ids(n)
    wanted = [task_id for _ in range(20_000 // n) for task_id in fresh(ids)]
    with stopwatch() as watch:
        for task_id in wanted:
            task_id in ids  # noqa: B015 - a look-up and no more
    return watch.seconds / len(wanted)


def few_in_dict(n: int) -> float:
    """Ask a dict that is there."""
    ids = dict.fromkeys(new_ids(n))
    wanted = [task_id for _ in range(20_000 // n) for task_id in fresh(list(ids))]
    with stopwatch() as watch:
        for task_id in wanted:
            task_id in ids  # noqa: B015
    return watch.seconds / len(wanted)


def few_in_new_dict(n: int) -> float:
    """Make the dict of a list first, for this one look-up."""
    ids = new_ids(n)
    wanted = [task_id for _ in range(20_000 // n) for task_id in fresh(ids)]
    with stopwatch() as watch:
        for task_id in wanted:
            task_id in dict.fromkeys(ids)  # noqa: B015
    return watch.seconds / len(wanted)


# --- walk: pass all of n objects; the time for each


def walk(shuffled: bool) -> Callable[[int], float]:
    """Return what passes n objects, in the order in which they were made or in none."""

    def run(n: int) -> float:
        objects = [SimpleNamespace(number=number) for number in range(n)]
        if shuffled:
            random.Random(SEED).shuffle(objects)
        turns = repeated(n)
        with stopwatch() as watch:
            for _ in turns:
                total = 0
                for one in objects:
                    total += one.number
        return watch.seconds / len(turns) / n

    return run


# --- pattern: n letters, and then something that fits no header name


def match(pattern: str, doubles: bool) -> Callable[[int], float]:
    """Return what tries a pattern on a text that it does not match."""
    compiled = re.compile(pattern)

    def run(n: int) -> float:
        text = "a" * n + "("
        turns = range(max(1, min(10_000, 2**20 >> n)) if doubles else 10_000)
        with stopwatch() as watch:
            for _ in turns:
                compiled.match(text)
        return watch.seconds / len(turns)

    return run


OPERATIONS: dict[str, tuple[Sequence[int], dict[str, Callable[[int], float]]]] = {
    "shape": (
        ALL,
        {
            "dict look-up": look_up,
            "bisect": bisect,
            "max": greatest,
            "sort": sort,
            "all pairs": all_pairs,
        },
    ),
    "place": (ALL[1:], {"scan": place_by_scan, "bisect": place_by_bisect}),
    "front": (ALL, {"list": front_of_list, "deque": front_of_deque}),
    "append": (ALL[:4], {"new list each time": copy, "append": append}),
    "hash": (
        (30, 100, 300, 1_000, 3_000),
        {"same hash": filled(SameHash), "good hash": filled(Key)},
    ),
    "few": (
        FEW,
        {"list": few_in_list, "dict": few_in_dict, "dict made for it": few_in_new_dict},
    ),
    "walk": (ALL[2:], {"shuffled": walk(shuffled=True), "in order": walk(shuffled=False)}),
    "pattern": (
        (4, 8, 12, 16, 20),
        {
            "(?:[a-z]+)+:": match("(?:[a-z]+)+:", doubles=True),
            "[a-z]++:": match("[a-z]++:", doubles=False),
        },
    ),
}

# The greatest size of what would take hours at the next.
MOST = {"all pairs": 10_000}
