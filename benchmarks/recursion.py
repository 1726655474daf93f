"""How long a chain of prerequisites may be before a resolver that recurses dies."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.resolve import Edges, chain, creations

TITLE = "The longest chain that resolves"
UNIT = "tasks"
IN_WORKER = True
REFERENCES: dict[str, dict[str, object]] = {}

LONGEST = 1_000_000


def cases(quick: bool) -> list[Case]:
    """The recursive version, and ours up to the number of tasks that the store takes."""
    longest = 2_000 if quick else LONGEST
    return [Case("recursive", longest, step=4), Case("ours", longest, step=4)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Try chains up to n tasks; find the longest by halving."""
    resolves = {"recursive": _recursive, "ours": _ours}[case.label]
    edges = chain(case.n)
    ids = list(edges)
    if resolves(edges, ids[0]):
        return [{"value": float(case.n)}]
    works, dies = 1, case.n
    while dies - works > 1:
        middle = (works + dies) // 2
        works, dies = (middle, dies) if resolves(edges, ids[-middle]) else (works, middle)
    return [{"value": float(works)}]


def _recursive(edges: Edges, root: str) -> bool:
    seen: set[str] = set()
    order: list[str] = []

    def visit(task_id: str) -> None:
        seen.add(task_id)
        for prerequisite in edges[task_id]:
            if prerequisite not in seen:
                visit(prerequisite)
        order.append(task_id)

    try:
        visit(root)
    except RecursionError:
        return False
    return True


def _ours(edges: Edges, root: str) -> bool:
    graph: Any = import_module("taskflow.dependencies").DependencyGraph()
    for change in creations(edges):
        graph.apply(change)
    return sum(1 for _ in graph.order([root])) == len(edges)
