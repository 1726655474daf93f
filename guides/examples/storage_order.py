"""What the order of creation costs, counted on the step's own `CreationOrder`."""

import random
from dataclasses import replace

from taskflow.store import CreationOrder
from taskflow.tasks import Task, new_task

SIZES = (1_000, 10_000, 100_000)


class CountedNumber(int):
    """A number that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        """Compare as any number does, and count it."""
        CountedNumber.compared += 1
        return int.__eq__(self, other)

    __hash__ = int.__hash__


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
    """Return the entries as one line, those left behind marked."""
    return " ".join(
        f"{number}×" if number in order._gone else f"{number} " for number, _ in order._entries
    ).rstrip()


def sweeping(count: int, *dropped: int) -> None:
    """Print the entries after each drop."""
    tasks = numbered(count)
    order = ordered(tasks)
    print(f"{count} tasks    {drawn(order)}")
    for number in dropped:
        before = order._entries
        order.drop(tasks[number - 1])
        swept = "    swept" if order._entries is not before else ""
        print(f"drop {number}     {drawn(order)}{swept}")


def looked_at(tasks: list[Task], drops: list[Task]) -> tuple[int, int]:
    """Return how often the order is swept by these drops, and how many entries that reads."""
    order = ordered(tasks)
    sweeps = entries = 0
    for task in drops:
        before = order._entries
        order.drop(task)
        if order._entries is not before:
            sweeps += 1
            entries += len(before)
    return sweeps, entries


def shuffled(tasks: list[Task]) -> list[Task]:
    """Return the tasks in an order of no meaning, the same in every run."""
    return random.Random(2).sample(tasks, len(tasks))


def amortised() -> None:
    """Print what it costs to drop all of n tasks, beside a list that removes each at once."""
    print("| drops | sweeps | entries read | for each drop | with `list.remove` |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in SIZES:
        tasks = numbered(n)
        oldest_first = looked_at(tasks, tasks)
        assert oldest_first == looked_at(tasks, tasks[::-1]) == looked_at(tasks, shuffled(tasks))
        sweeps, entries = oldest_first
        # Removing looks at all entries up to the one, and moves all behind it: the whole list.
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
        next(order.ids_after(replace(middle, number=CountedNumber(middle.number))))
        print(f"| {n:,} | {CountedNumber.compared} | {n // 2:,} |")


def dead_ends(count: int, drops: int) -> None:
    """Print how many dead entries the first page passes when the oldest are dropped."""
    tasks = numbered(count)
    order = ordered(tasks)
    for task in tasks[:drops]:
        order.drop(task)
    first = next(order.ids_after(None))
    passed = [task_id for _, task_id in order._entries].index(first)
    print(f"{drops:,} of {count:,} dropped: the first page passes {passed:,} dead entries")
