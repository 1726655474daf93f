"""Each task after its prerequisites: step 4's graph beside `graphlib` and `networkx`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from graphlib import TopologicalSorter
from importlib import import_module
from typing import Any
from uuid import UUID

from benchmarks.cases import Case, Row
from benchmarks.clock import Stopwatch, stopwatch
from benchmarks.tasks import SEED

TITLE = "The order of n tasks with 2 prerequisites each"
UNIT = "s"
IN_WORKER = True
REFERENCES = {"to_ours": {"label": "ours"}}

SIZES = (1_000, 10_000, 100_000, 1_000_000)

Edges = dict[str, tuple[str, ...]]  # each task with its prerequisites
Shape = Callable[[int], Edges]


def cases(quick: bool) -> list[Case]:
    """All three, at every size."""
    sizes = SIZES[:1] if quick else SIZES
    return [
        Case(label, n, step=4, needs="networkx" if label == "networkx" else "")
        for n in sizes
        for label in CONTESTANTS
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Build the graph and ask for the order, for each shape of graph."""
    rows: list[Row] = []
    for shape, make in SHAPES.items():
        if case.n > LONGEST[shape]:
            continue
        edges = make(case.n)
        build, order = Stopwatch(), Stopwatch()
        ordered = CONTESTANTS[case.label](edges, build, order)
        _check(ordered, edges)
        for operation, seconds in (
            ("order", order.seconds),
            ("build", build.seconds),
            ("build and order", build.seconds + order.seconds),
        ):
            rows.append({"operation": operation, "shape": shape, "value": seconds})
    return rows


def created(n: int) -> Edges:
    """Two random older prerequisites for each task, listed in order of creation.

    So it is in a store whose tasks get their prerequisites when they are made.
    """
    numbers = random.Random(SEED)
    ids = _ids(n, numbers)
    edges: Edges = {}
    for place, task_id in enumerate(ids):
        earlier = {ids[int(numbers.random() * place)] for _ in range(min(2, place))}
        edges[task_id] = tuple(sorted(earlier))
    return edges


def mixed(n: int) -> Edges:
    """The same graph with its tasks listed in random order, so that edges lead to newer ones too.

    So it is when prerequisites are set later; the way down is long.
    """
    edges = created(n)
    ids = list(edges)
    random.Random(SEED + 1).shuffle(ids)
    return {task_id: edges[task_id] for task_id in ids}


def chain(n: int) -> Edges:
    """Each task waits for the next one: the path down is as long as the graph is large."""
    ids = _ids(n, random.Random(SEED))
    return {task_id: tuple(ids[place + 1 : place + 2]) for place, task_id in enumerate(ids)}


def _ids(n: int, numbers: random.Random) -> list[str]:
    return [str(UUID(int=numbers.getrandbits(128), version=4)) for _ in range(n)]


SHAPES: dict[str, Shape] = {"created": created, "mixed": mixed, "chain": chain}
LONGEST = {
    "created": 1_000_000,
    "mixed": 1_000_000,
    "chain": 100_000,
}  # `recursion` has a longer chain


def ours(edges: Edges, build: Stopwatch, order: Stopwatch) -> list[str]:
    """Follow the creation of each task, then ask for the order."""
    graph = import_module("taskflow.dependencies").DependencyGraph()
    changes = creations(edges)
    with stopwatch() as watch:
        for change in changes:
            graph.apply(change)
    build.seconds = watch.seconds
    with stopwatch() as watch:
        ordered = list(graph.order(edges))
    order.seconds = watch.seconds
    return ordered


def creations(edges: Edges) -> list[Any]:
    """Return what the store would tell the graph."""
    tasks: Any = import_module("taskflow.tasks")
    now = "2026-01-01T00:00:00.000Z"
    common = {"title": "Task", "created_at": now, "updated_at": now}
    return [
        tasks.Change(None, tasks.Task(id=task_id, number=number, dependencies=ids, **common))
        for number, (task_id, ids) in enumerate(edges.items(), 1)
    ]


def graphlib(edges: Edges, build: Stopwatch, order: Stopwatch) -> list[str]:
    """Use the standard library's sorter, which gives its order only once after it was built."""
    with stopwatch() as watch:
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for task_id, ids in edges.items():
            sorter.add(task_id, *ids)
    build.seconds = watch.seconds
    with stopwatch() as watch:
        ordered = list(sorter.static_order())
    order.seconds = watch.seconds
    return ordered


def networkx(edges: Edges, build: Stopwatch, order: Stopwatch) -> list[str]:
    """Use a directed graph of networkx, with edges from a prerequisite to its dependent."""
    module: Any = import_module("networkx")
    with stopwatch() as watch:
        graph = module.DiGraph()
        graph.add_nodes_from(edges)
        for task_id, ids in edges.items():
            for prerequisite in ids:
                graph.add_edge(prerequisite, task_id)
    build.seconds = watch.seconds
    with stopwatch() as watch:
        ordered = list(module.topological_sort(graph))
    order.seconds = watch.seconds
    return ordered


CONTESTANTS = {"ours": ours, "graphlib": graphlib, "networkx": networkx}


def _check(ordered: Iterable[str], edges: Edges) -> None:
    """Every task once, and none before what it waits for."""
    place = {task_id: number for number, task_id in enumerate(ordered)}
    if place.keys() != edges.keys():
        raise AssertionError("tasks are missing in the order")
    if any(place[other] > place[task_id] for task_id, ids in edges.items() for other in ids):
        raise AssertionError("a task stands before its prerequisite")
