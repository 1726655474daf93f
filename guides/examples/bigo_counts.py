"""Counts the steps of five questions about n tasks, asked of the course's own structures.

Works beside step 3 and later. Counts are the same on every machine.
"""

from collections.abc import Iterable, Iterator
from math import log2

from heap_counts import CountedKey, comparisons, filled, head, row, shuffled
from storage_lookups import CountedId

from taskflow.heap import PriorityHeap
from taskflow.store import CreationOrder, Store

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DAY = 24 * 60 * 60
CLASSES = ("O(1)", "O(log n)", "O(n)", "O(n log n)", "O(n²)")


def pairs(n: int) -> int:
    """Return how many comparisons it takes to compare each of n with each other."""
    return n * (n - 1) // 2


def look_up(n: int) -> int:
    """Return how many ids the dict of a store with n tasks compares to find one."""
    store = Store()
    ids = [store.create({"title": "wash"}).id for _ in range(n)]
    wanted = CountedId(ids[n // 2])
    wanted.compared = 0
    store.get(wanted)
    return wanted.compared


def five_questions() -> None:
    """Print the steps of each question, and how they grow."""
    head("tasks", "find by id", "take the most urgent", "look at all", "sort all", "all pairs")
    for n in (100, 1_000, 10_000, 100_000):
        keys = shuffled(n)
        heap = filled(PriorityHeap(), n)
        popped = comparisons(heap.pop)
        sorting = float(f"{comparisons(sorted, keys):.2g}")  # versions of Python differ a little
        row(n, look_up(n), popped, comparisons(max, keys) + 1, f"≈ {sorting:,.0f}", pairs(n))


def ladder(times: int = 500) -> None:
    """Print the comparisons of a push and of a pop, and what ten times the entries add."""
    head("entries", "one `push`, on average", "one `pop`, on average", "more than the line before")
    before = None
    for n in SIZES:
        heap = PriorityHeap()
        pushed = comparisons(_push_all, heap, shuffled(n)) / n
        popped = comparisons(_pop_some, heap, times) / times
        more = "" if before is None else f"+ {popped - before:.1f}"
        row(n, f"{pushed:.2f}", f"{popped:.1f}", more)
        before = popped


def _push_all(heap: PriorityHeap, keys: Iterable[CountedKey]) -> None:
    for number, key in enumerate(keys):
        heap.push(str(number), key)


def _pop_some(heap: PriorityHeap, times: int) -> None:
    for _ in range(times):
        heap.pop()


def doubling() -> None:
    """Print what happens to the steps when n doubles, and when it is ten times as much."""
    print("| cost | n = 1,000 | n = 2,000 | n = 10,000 | what to say |")
    print("| --- | ---: | ---: | ---: | --- |")
    words = (
        "it does not matter how many there are",
        "twice as many: one step more",
        "twice as many: twice the work",
        "twice as many: a little over twice the work",
        "twice as many: four times the work",
    )
    for name, word, *counts in zip(
        CLASSES, words, *(list(steps(n)) for n in (1_000, 2_000, 10_000)), strict=True
    ):
        print(f"| {name} | {' | '.join(f'{count:,.0f}' for count in counts)} | {word} |")


def steps(n: int) -> Iterator[float]:
    """Yield the number of steps of each class, by its formula and with no factor before it."""
    yield from (1.0, log2(n), float(n), n * log2(n), float(n) ** 2)


def if_a_step_took_a_second(n: int = 1_000_000) -> None:
    """Print how long each class would take at n, with a step a second."""
    print(f"| cost | steps at n = {n:,} | at one step a second |")
    print("| --- | ---: | ---: |")
    for name, count in zip(CLASSES, steps(n), strict=True):
        print(f"| {name} | {count:,.0f} | {duration(count)} |")


def duration(seconds: float) -> str:
    """Return a time in the greatest unit that fits."""
    for unit, length in (("year", 365.25 * DAY), ("day", DAY), ("minute", 60), ("second", 1)):
        if seconds >= length:
            number = float(f"{seconds / length:.2g}")
            return f"{number:,.0f} {unit}{'' if number == 1 else 's'}"
    return "no time"


class CountedNumber(int):
    """A number that counts how often it is compared, which `bisect_right` does with `<`."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        """Compare as any number does, and count it."""
        CountedNumber.compared += 1
        return int.__lt__(self, other)


def page_begins(n: int) -> int:
    """Return how many comparisons find the place after the middle one of n tasks."""
    order = CreationOrder()
    order._entries = [(number, "") for number in range(1, n + 1)]  # as n times `add` leaves it
    CountedNumber.compared = 0
    next(order.ids_after(CountedNumber(n // 2)))
    return CountedNumber.compared
