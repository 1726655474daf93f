"""Priority queues: step 3's heap beside `heapq`, `heapdict` and `pqdict`."""

from __future__ import annotations

import random
from itertools import starmap
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.clock import stopwatch
from benchmarks.queues import QUEUES, Key, Queue
from benchmarks.tasks import SEED

TITLE = "One operation on a priority queue of n items"
UNIT = "s"
IN_WORKER = True
REFERENCES = {"to_ours": {"label": "ours"}}

SIZES = (1_000, 10_000, 100_000, 200_000, 1_000_000)
SCANS = 10_000_000  # items that a queue without an index may pass in one measurement
CHANGES = 100_000  # items that are updated in the others
CHECKED = 200_000  # items: in larger queues the order after the changes is not looked at
LIBRARIES = {"heapdict", "pqdict"}


def cases(quick: bool) -> list[Case]:
    """All queues, at every size."""
    sizes = SIZES[:1] if quick else SIZES
    return [
        Case(label, n, step=3, needs=label if label in LIBRARIES else "")
        for n in sizes
        for label in QUEUES
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Fill and empty a queue; then fill it again, change items, and take some out."""
    queue = QUEUES[case.label]()
    names = random.Random(SEED)
    items = [f"{names.getrandbits(128):032x}" for _ in range(case.n)]
    keys, others = _keys(case.n, queue.sign, SEED + 1), _keys(case.n, queue.sign, SEED + 2)
    rows = [_push_and_pop(queue, items, keys)]

    for item, key in zip(items, keys, strict=True):
        queue.push(item, key)
    count = min(case.n, max(20, SCANS // case.n) if queue.scans else CHANGES)
    changed = names.sample(range(case.n), count)
    rows.append(_timed("update", starmap(queue.update, [(items[i], others[i]) for i in changed])))
    gone = names.sample(range(case.n), count // 2)
    rows.append(_timed("remove", map(queue.remove, [items[i] for i in gone])))

    for place in changed:
        keys[place] = others[place]
    dropped = set(gone)
    left = [place for place in range(case.n) if place not in dropped]
    if case.n <= CHECKED:
        order = [_item(queue.pop()) for _ in left]
        _check(order, [items[i] for i in left], [keys[i] for i in left], queue.sign)
    return rows


def _keys(n: int, sign: int, seed: int) -> list[Key]:
    """Return (priority, -number) for max-heaps, its mirror for min-heaps."""
    chosen = random.Random(seed)
    return [(sign * chosen.randrange(1_000), -sign * number) for number in range(n)]


def _push_and_pop(queue: Queue, items: list[str], keys: list[Key]) -> Row:
    push, pop = queue.push, queue.pop
    with stopwatch() as watch:
        for item, key in zip(items, keys, strict=True):
            push(item, key)
        popped = [pop() for _ in items]
    _check([_item(result) for result in popped], items, keys, queue.sign)
    seconds = watch.seconds
    return {"operation": "push and pop", "value": seconds / len(items), "total": seconds}


def _timed(operation: str, calls: Any) -> Row:
    with stopwatch() as watch:
        count = sum(1 for _ in calls)
    return {"operation": operation, "value": watch.seconds / count, "total": watch.seconds}


def _item(popped: Any) -> str:
    """Return the item of what a pop returned: some queues return the key as well."""
    return popped if isinstance(popped, str) else next(x for x in popped if isinstance(x, str))


def _check(order: list[str], items: list[str], keys: list[Key], sign: int) -> None:
    """A fast queue in a wrong order would be no queue."""
    expected = [item for _, item in sorted(zip(keys, items, strict=True), reverse=sign > 0)]
    if order != expected:
        raise AssertionError("the items came in another order")
