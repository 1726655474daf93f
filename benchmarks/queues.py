"""The contestants of `heap`: five priority queues behind one set of methods.

The most urgent item comes first, and of two that are as urgent the older one. Ours is a max-heap
with the key (priority, -number), the others are min-heaps with (-priority, number).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from importlib import import_module
from typing import Any, Protocol

Key = tuple[int, int]


class Queue(Protocol):
    """What a queue can do. `key` is (priority, -number) everywhere."""

    def push(self, item: str, key: Key) -> None: ...
    def pop(self) -> str: ...
    def update(self, item: str, key: Key) -> None: ...
    def remove(self, item: str) -> None: ...


def ours() -> Queue:
    """Return step 3's heap, which has these methods itself."""
    heap: Queue = import_module("taskflow.heap").PriorityHeap()
    return heap


def _mirrored(key: Key) -> Key:
    return -key[0], -key[1]


class HeapqLazy:
    """`heapq` by the recipe of its documentation: what is gone is marked, and skipped later.

    Update and remove cost next to nothing when they are called. The marked entries stay in the
    array until they come to its top, so it grows, and pop pays for them.
    """

    def __init__(self) -> None:
        self._array: list[list[Any]] = []
        self._entries: dict[str, list[Any]] = {}

    def push(self, item: str, key: Key) -> None:
        entry = self._entries[item] = [_mirrored(key), item]
        heappush(self._array, entry)

    def pop(self) -> str:
        while True:
            item: str | None = heappop(self._array)[1]
            if item is not None:
                del self._entries[item]
                return item

    def update(self, item: str, key: Key) -> None:
        self.remove(item)
        self.push(item, key)

    def remove(self, item: str) -> None:
        self._entries.pop(item)[1] = None


class HeapqScan:
    """`heapq` as most people use it first: look for the item, take it out, make a heap again."""

    def __init__(self) -> None:
        self._array: list[tuple[Key, str]] = []

    def push(self, item: str, key: Key) -> None:
        heappush(self._array, (_mirrored(key), item))

    def pop(self) -> str:
        return heappop(self._array)[1]

    def update(self, item: str, key: Key) -> None:
        self.remove(item)
        self.push(item, key)

    def remove(self, item: str) -> None:
        array = self._array
        for position, entry in enumerate(array):
            if entry[1] == item:
                array[position] = array[-1]
                array.pop()
                heapify(array)
                return
        raise KeyError(item)


class Heapdict:
    """`heapdict` from PyPI."""

    def __init__(self) -> None:
        self._heap = import_module("heapdict").heapdict()

    def push(self, item: str, key: Key) -> None:
        self._heap[item] = _mirrored(key)

    def pop(self) -> str:
        item: str = self._heap.popitem()[0]
        return item

    update = push

    def remove(self, item: str) -> None:
        del self._heap[item]


class Pqdict:
    """`pqdict` from PyPI."""

    def __init__(self) -> None:
        self._heap = import_module("pqdict").pqdict()

    def push(self, item: str, key: Key) -> None:
        self._heap.additem(item, _mirrored(key))

    def pop(self) -> str:
        item: str = self._heap.pop()
        return item

    def update(self, item: str, key: Key) -> None:
        self._heap.updateitem(item, _mirrored(key))

    def remove(self, item: str) -> None:
        del self._heap[item]


QUEUES = {
    "ours": ours,
    "heapq": HeapqLazy,
    "heapq, scan": HeapqScan,
    "heapdict": Heapdict,
    "pqdict": Pqdict,
}
