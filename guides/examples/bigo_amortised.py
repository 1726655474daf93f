"""What it costs to grow: a list, a dict and the order of creation, counted."""

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from storage_order import looked_at, numbered, ordered

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def growth(add: Callable[[int], object], structure: Any, n: int) -> list[int]:
    """Add n items; return how many were in the structure each time that its memory grew."""
    grown, size = [], sys.getsizeof(structure)
    for item in range(n):
        add(item)
        if sys.getsizeof(structure) != size:
            grown.append(item)
            size = sys.getsizeof(structure)
    return grown


def list_growth(n: int) -> list[int]:
    """Append n items to a list."""
    items: list[int] = []
    return growth(items.append, items, n)


def dict_growth(n: int) -> list[int]:
    """Put n keys into a dict."""
    table: dict[int, int] = {}
    return growth(lambda key: table.setdefault(key, key), table, n)


def first_appends(n: int = 40) -> None:
    """Print at which appends a list gets more room, and for how many."""
    grown = list_growth(n * 2)
    for held, until in pairwise(grown):
        if held < n:
            print(
                f"item {held + 1:3}: no room left, {held:2} may move; now there is room for {until}"
            )


def appends() -> None:
    """Print how often a list and a dict of n items grew, and how many items that moved."""
    print("| items added | list: grew | moved, for each | dict: grew | moved, for each |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in SIZES:
        cells = []
        for grown in (list_growth(n), dict_growth(n)):
            cells += [f"{len(grown)} times", f"{sum(grown) / n:.1f}"]
        print(f"| {n:,} | {' | '.join(cells)} |")


def policies(n: int = 1_000_000) -> None:
    """Print how many items move in all, by three rules for how much room to add."""
    print("| when it is full | grows | items moved in all | for each |")
    print("| --- | ---: | ---: | ---: |")
    rules: tuple[tuple[str, Callable[[int], int]], ...] = (
        ("room for one more", lambda room: room + 1),
        ("room for 1,000 more", lambda room: room + 1_000),
        ("room for an eighth more", lambda room: room + room // 8 + 6),
        ("room for twice as many", lambda room: room * 2),
    )
    for name, more in rules:
        grows = moved = 0
        room = 1
        while room < n:
            moved += room
            grows += 1
            room = more(room)
        print(f"| {name} | {grows:,} times | {moved:,} | {moved / n:,.1f} |")


def sweeps() -> None:
    """Print what it costs to remove all of n tasks from the order of creation."""
    print("| removals | entries read in all | for each removal | by the most expensive removal |")
    print("| ---: | ---: | ---: | ---: |")
    for n in SIZES[:3]:
        tasks = numbered(n)
        _, entries = looked_at(tasks, tasks)
        print(f"| {n:,} | {entries:,} | {entries / n:.2f} | {worst(n):,} |")


def worst(n: int) -> int:
    """Return how many entries the most expensive of n removals reads."""
    tasks = numbered(n)
    order, most = ordered(tasks), 0
    for task in tasks:
        before = order._entries
        order.remove(task)
        most = max(most, 0 if order._entries is before else len(before))
    return most
