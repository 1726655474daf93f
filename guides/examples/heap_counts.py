"""Counts what the heap of step 3 does, beside other ways to the same end.

Counts are the same on every machine. What is counted is comparisons of keys, and entries that
are looked at or written.
"""

import heapq
import random
from collections.abc import Callable
from itertools import count

from taskflow.heap import Entry, PriorityHeap

SIZES = (1_000, 10_000, 100_000)


class CountedKey(tuple[int, int]):
    """A key that counts how often keys are compared."""

    comparisons = 0  # which is greater
    looks = 0  # whether it is this one

    def __gt__(self, other: tuple[int, ...]) -> bool:
        CountedKey.comparisons += 1
        return super().__gt__(other)

    def __lt__(self, other: tuple[int, ...]) -> bool:
        CountedKey.comparisons += 1
        return super().__lt__(other)

    def __eq__(self, other: object) -> bool:
        CountedKey.looks += 1
        return super().__eq__(other)

    __hash__ = tuple.__hash__


def comparisons(work: Callable[..., object], *arguments: object) -> int:
    """Do something, and return how many comparisons of keys it took."""
    before = CountedKey.comparisons
    work(*arguments)
    return CountedKey.comparisons - before


class HoleFirst(PriorityHeap):
    """Our heap with the shortcut of `heapq`: the hole sinks to the bottom before anything fills it.

    Only then does the entry rise to where it belongs.
    """

    def _place(self, hole: int, entry: Entry) -> None:
        array = self._array
        size = len(array)
        child = 2 * hole + 1
        while child < size:
            if child + 1 < size and array[child + 1].key > array[child].key:
                child += 1
            array[hole] = array[child]
            array[hole].position = hole
            hole = child
            child = 2 * hole + 1
        self._sift_up(hole, entry)


class OnlyDown(PriorityHeap):
    """The mistake: an entry that fills a hole may sink, but it never rises."""

    def _place(self, hole: int, entry: Entry) -> None:
        self._sift_down(hole, entry)


def shuffled(size: int) -> list[CountedKey]:
    """Return distinct keys in an order that is the same each time."""
    priorities = list(range(size))
    random.Random(size).shuffle(priorities)
    return [CountedKey((priority, -number)) for number, priority in enumerate(priorities)]


def filled(heap: PriorityHeap, size: int) -> PriorityHeap:
    """Push that many items: "0", "1" and so on."""
    for number, key in enumerate(shuffled(size)):
        heap.push(str(number), key)
    return heap


def update_some(heap: PriorityHeap, times: int) -> None:
    """Give items, chosen at random, keys chosen at random."""
    chance, size = random.Random(1), len(heap)
    for item in chance.sample(heap.items(), times):
        heap.update(item, CountedKey((chance.randrange(size), -size - int(item))))


def remove_some(heap: PriorityHeap, times: int) -> None:
    """Remove items, chosen at random."""
    for item in random.Random(2).sample(heap.items(), times):
        heap.remove(item)


def pop_some(heap: PriorityHeap, times: int) -> None:
    """Pop the most urgent."""
    for _ in range(times):
        heap.pop()


def row(*cells: object) -> None:
    """Print a line of a table; numbers get their thousands marked."""
    print("| " + " | ".join(f"{c:,}" if isinstance(c, int) else str(c) for c in cells) + " |")


def head(*cells: str) -> None:
    """Print the head of a table whose columns are numbers."""
    row(*cells)
    print("|" + " ---: |" * len(cells))


def sinking(times: int = 200) -> None:
    """Print the comparisons for each operation, of our heap and of one whose hole sinks first."""
    head("n", "pop, ours", "hole first", "remove, ours", "hole first", "update, ours", "hole first")
    for size in SIZES:
        ours, theirs = filled(PriorityHeap(), size), filled(HoleFirst(), size)
        cells = [
            f"{comparisons(work, heap, times) / times:.1f}"
            for work in (pop_some, remove_some, update_some)
            for heap in (ours, theirs)
        ]
        row(size, *cells)


def emptying(size: int = 1_000) -> None:
    """Comparisons to pop all of them."""
    ours, theirs = filled(PriorityHeap(), size), filled(HoleFirst(), size)
    print(f"{size:,} pops, until the heap is empty")
    print(f"  ours        {comparisons(pop_some, ours, size):6,} comparisons")
    print(f"  hole first  {comparisons(pop_some, theirs, size):6,} comparisons")


def looking() -> None:
    """Comparisons to find the most urgent of n, and to take it out."""
    head("n", "sort the list", "`max` of the list", "`peek`", "`pop`")
    for size in SIZES:
        keys, heap = shuffled(size), filled(PriorityHeap(), size)
        sort = f"about {float(f'{comparisons(sorted, keys):.2g}'):,.0f}"  # versions differ a little
        row(size, sort, comparisons(max, keys), comparisons(heap.peek), comparisons(heap.pop))


def remove_by_scan(queue: list[CountedKey], entry: CountedKey) -> None:
    """Remove an entry from the list of `heapq`, in the two lines that suggest themselves."""
    queue.remove(entry)
    heapq.heapify(queue)


def scanning(times: int = 10) -> None:
    """What it takes to remove an item from `heapq`'s list, and from ours."""
    head("n", "`remove`: entries looked at", "`heapify`: comparisons", "ours: comparisons")
    for size in SIZES:
        heap, queue = filled(PriorityHeap(), size), shuffled(size)
        heapq.heapify(queue)
        CountedKey.looks = mended = removed = 0
        for number, key in random.Random(3).sample(list(enumerate(shuffled(size))), times):
            mended += comparisons(remove_by_scan, queue, key)
            removed += comparisons(heap.remove, str(number))
        row(size, CountedKey.looks // times, mended // times, f"{removed / times:.1f}")


class LazyQueue:
    """Priorities by the recipe of heapq's manual: an old entry is marked, and stays."""

    def __init__(self) -> None:
        self.queue: list[list[object]] = []
        self.finder: dict[str, list[object]] = {}
        self.counter = count()

    def add(self, item: str, priority: int) -> None:
        """Add an item, or give it another priority."""
        if item in self.finder:
            self.finder.pop(item)[-1] = None
        entry = self.finder[item] = [-priority, next(self.counter), item]
        heapq.heappush(self.queue, entry)

    def peek(self) -> object:
        """Return the most urgent item, after dropping what is marked above it."""
        while self.queue[0][-1] is None:
            heapq.heappop(self.queue)
        return self.queue[0][-1]


def lazily(tasks: int = 1_000) -> None:
    """Entries in the queue after changes of priority, with nothing claimed between."""
    head("tasks", "changes of priority", "entries, lazy", "entries, ours", "dropped by one look")
    for changes in (0, 10_000, 100_000):
        lazy, ours, chance = LazyQueue(), PriorityHeap(), random.Random(4)
        for number in range(tasks):
            lazy.add(str(number), 0)
            ours.push(str(number), (0, -number))
        for _ in range(changes):
            number, priority = chance.randrange(tasks), chance.randrange(10)
            lazy.add(str(number), priority)
            ours.update(str(number), (priority, -number))
        entries = len(lazy.queue)
        lazy.peek()
        row(tasks, changes, entries, len(ours), entries - len(lazy.queue))


def heights() -> None:
    """How many levels there are below the root."""
    head("entries", "levels below the root")
    for size in (1, 7, 1_000, 1_000_000):
        at, levels = size - 1, 0
        while at > 0:
            at, levels = (at - 1) // 2, levels + 1
        row(size, levels)


def ties() -> None:
    """In which order seven tasks of one priority come out, with equal keys and with distinct."""
    names = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th"]
    equal, distinct = PriorityHeap(), PriorityHeap()
    for number, name in enumerate(names, start=1):
        equal.push(name, (5, 0))
        distinct.push(name, (5, -number))
    print("equal keys, (5, 0)          ", ", ".join(equal.pop() for _ in names))
    print("distinct keys, (5, -number) ", ", ".join(distinct.pop() for _ in names))


def only_down() -> None:
    """Remove d, whose hole the last entry fills; then pop the rest."""
    for heap in (PriorityHeap(), OnlyDown()):
        priorities = {"a": 9, "b": 4, "c": 8, "d": 1, "e": 2, "f": 3, "g": 6}
        for number, (name, priority) in enumerate(priorities.items(), start=1):
            heap.push(name, (priority, -number))
        heap.remove("d")
        order = ", ".join(f"{name} {priorities[name]}" for name in [heap.pop() for _ in range(6)])
        print(f"{type(heap).__name__:13}", order)
