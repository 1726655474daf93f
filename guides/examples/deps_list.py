"""Draws the linked list after each operation, and counts what a removal touches."""

import sys
from types import FrameType
from typing import Any

from deps_release import row, table

from taskflow.dependencies import Node, PrerequisiteList


def name(node: Node | None) -> str:
    """Return the id in a node."""
    return node.task_id if node else "–"


def operations() -> None:
    """Print the list and the pointers of its nodes after each operation."""
    edges = PrerequisiteList()
    print(f"{'':20} {'first':8} {'last':8} previous ← node → next")
    for operation, task_id in (
        ("append", "test"),
        ("append", "package"),
        ("append", "notes"),
        ("remove", "package"),
        ("append", "package"),
        ("remove", "test"),
    ):
        getattr(edges, operation)(task_id)
        node, chain = edges.first, []
        while node is not None:
            chain.append(f"{name(node.previous)} ← {node.task_id} → {name(node.next)}")
            node = node.next
        call = f'{operation}("{task_id}")'
        print(f"{call:20} {name(edges.first):8} {name(edges.last):8} {'    '.join(chain)}")


def lines_run(edges: PrerequisiteList, task_id: str) -> int:
    """Remove an id and return how many lines of Python that took."""
    count = 0

    def at_line(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if frame.f_code is not PrerequisiteList.remove.__code__:
            return None
        count += event == "line"
        return at_line

    before = sys.gettrace()
    sys.settrace(at_line)
    try:
        edges.remove(task_id)
    finally:
        sys.settrace(before)
    return count


def removals() -> None:
    """Print what it takes to remove the middle one of n ids, from our list and from an array."""
    table(
        "ids in the list", "lines that `remove` runs", "items that an array looks at", "and moves"
    )
    for size in (11, 1_001, 100_001):
        edges = PrerequisiteList()
        for number in range(size):
            edges.append(str(number))
        middle = size // 2
        row(f"{size:,}", lines_run(edges, str(middle)), f"{middle + 1:,}", f"{size - middle - 1:,}")
