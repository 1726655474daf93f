"""The contestants of `heap`: priority queues, each by the calls that it offers itself.

Nothing stands between the measurement and a queue, so that no wrapper is measured with it. The
most urgent item comes first, and of two that are as urgent the older one: ours is a max-heap
with the key (priority, -number), the others are min-heaps with (-priority, number).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from importlib import import_module
from typing import Any

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Queue:
    """The operations of one queue."""

    push: Callable[[str, Key], object]
    pop: Callable[[], Any]  # returns the item, or a tuple with the item in it
    update: Callable[[str, Key], object]
    remove: Callable[[str], object]
    sign: int = 1  # of the keys: 1 if the greatest comes first, -1 if the smallest does
    scans: bool = False  # update and remove are O(n): a few must do


def ours() -> Queue:
    """Return step 3's heap."""
    heap = import_module("taskflow.heap").PriorityHeap()
    return Queue(heap.push, heap.pop, heap.update, heap.remove)


def heapq_alone() -> Queue:
    """Return `heapq` without an index: what is to change has to be looked for."""
    array: list[tuple[Key, str]] = []

    def push(item: str, key: Key) -> None:
        heappush(array, (key, item))

    def pop() -> tuple[Key, str]:
        return heappop(array)

    def remove(item: str) -> None:
        position = next(place for place, entry in enumerate(array) if entry[1] == item)
        array[position] = array[-1]
        array.pop()
        heapify(array)

    def update(item: str, key: Key) -> None:
        remove(item)
        push(item, key)

    return Queue(push, pop, update, remove, sign=-1, scans=True)


def heapq_lazy() -> Queue:
    """Return `heapq` by the recipe of its documentation: what is gone is marked, later skipped.

    Update and remove cost next to nothing when they are called. What they leave behind stays in
    the array until it comes to the top, so the array grows, and pop pays.
    """
    array: list[list[Any]] = []
    entries: dict[str, list[Any]] = {}

    def push(item: str, key: Key) -> None:
        entry = entries[item] = [key, item]
        heappush(array, entry)

    def pop() -> str:
        while True:
            item: str = heappop(array)[1]
            if item:
                del entries[item]
                return item

    def remove(item: str) -> None:
        entries.pop(item)[1] = ""

    def update(item: str, key: Key) -> None:
        remove(item)
        push(item, key)

    return Queue(push, pop, update, remove, sign=-1)


def heapdict() -> Queue:
    """Return `heapdict` from PyPI: a heap in Python that is used like a dict."""
    heap = import_module("heapdict").heapdict()
    return Queue(heap.__setitem__, heap.popitem, heap.__setitem__, heap.__delitem__, sign=-1)


def pqdict() -> Queue:
    """Return `pqdict` from PyPI: another, with methods of its own for adding and updating."""
    heap = import_module("pqdict").pqdict()
    return Queue(heap.additem, heap.pop, heap.updateitem, heap.__delitem__, sign=-1)


QUEUES: dict[str, Callable[[], Queue]] = {
    "ours": ours,
    "heapq": heapq_alone,
    "heapq, lazy": heapq_lazy,
    "heapdict": heapdict,
    "pqdict": pqdict,
}
