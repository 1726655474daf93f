"""What the order of creation costs, counted on the step's own `CreationOrder`."""

import random

from taskflow.store import CreationOrder
from taskflow.tasks import Task, new_task

SIZES = (1_000, 10_000, 100_000)


class CountedNumber(int):
    """A number that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        """Compare as any number does, and count it."""
        CountedNumber.compared += 1
        return int.__lt__(self, other)


def numbered(count: int) -> list[Task]:
    """Return tasks with the numbers 1, 2, 3 …"""
    return [new_task(number, {"title": f"task {number}"}) for number in range(1, count + 1)]


def ordered(tasks: list[Task]) -> CreationOrder:
    """Return the order of these tasks."""
    order = CreationOrder()
    for task in tasks:
        order.add(task)
    return order


def drawn(order: CreationOrder) -> str:
    """Return the entries as one line, with a mark at those of deleted tasks."""
    return " ".join(
        f"{number}×" if number in order._deleted else f"{number} " for number, _ in order._entries
    ).rstrip()


def sweeping(count: int, *removed: int) -> None:
    """Print the entries after each removal."""
    tasks = numbered(count)
    order = ordered(tasks)
    print(f"{count} tasks     {drawn(order)}")
    for number in removed:
        before = order._entries
        order.remove(tasks[number - 1])
        swept = "    swept" if order._entries is not before else ""
        print(f"remove {number}    {drawn(order)}{swept}")


def looked_at(tasks: list[Task], removed: list[Task]) -> tuple[int, int]:
    """Return how often the order is swept by these removals, and how many entries that reads."""
    order = ordered(tasks)
    sweeps = entries = 0
    for task in removed:
        before = order._entries
        order.remove(task)
        if order._entries is not before:
            sweeps += 1
            entries += len(before)
    return sweeps, entries


def shuffled(tasks: list[Task]) -> list[Task]:
    """Return the tasks in an order of no meaning, the same in every run."""
    return random.Random(2).sample(tasks, len(tasks))


def amortised() -> None:
    """Print what it costs to remove all of n tasks, and what `list.remove` would cost."""
    print("| removals | sweeps | entries read | for each removal | with `list.remove` |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in SIZES:
        tasks = numbered(n)
        oldest_first = looked_at(tasks, tasks)
        assert oldest_first == looked_at(tasks, tasks[::-1]) == looked_at(tasks, shuffled(tasks))
        sweeps, entries = oldest_first
        # `list.remove` reads all entries up to the one, and moves all after it: the whole list.
        removing = sum(range(1, n + 1)) / n
        print(f"| {n:,} | {sweeps} | {entries:,} | {entries / n:.2f} | {removing:,.1f} |")


def places() -> None:
    """Print how many comparisons find the place after a task."""
    print("| tasks | comparisons with `bisect_right` | entries that an offset steps over |")
    print("| ---: | ---: | ---: |")
    for n in SIZES:
        tasks = numbered(n)
        order = ordered(tasks)
        middle = tasks[n // 2 - 1]
        CountedNumber.compared = 0
        next(order.ids_after(CountedNumber(middle.number)))
        print(f"| {n:,} | {CountedNumber.compared} | {n // 2:,} |")


def tombstones(count: int, removed: int) -> None:
    """Print how many entries of deleted tasks the first page passes if the oldest are removed."""
    tasks = numbered(count)
    order = ordered(tasks)
    for task in tasks[:removed]:
        order.remove(task)
    first = next(order.ids_after(0))
    passed = [task_id for _, task_id in order._entries].index(first)
    print(f"{removed:,} of {count:,} removed: the first page passes {passed:,} tombstones")
