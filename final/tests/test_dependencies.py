"""The graph, and the store above it: against naive reachability and naive readiness."""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import process_time
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow.dependencies import DependencyGraph
from taskflow.errors import CycleDetected, MissingDependency, ResultTooLarge, TaskNotFound
from taskflow.store import Store
from taskflow.tasks import Change, Status, Task

PENDING, COMPLETED = Status.PENDING, Status.COMPLETED
STATUSES = st.sampled_from(Status)
PRIORITIES = st.integers(-1, 1)

# Naive answers about edges that are kept in a plain dict.

Edges = dict[str, list[str]]


def below(edges: Edges, task_id: str) -> set[str]:
    """Return all that a task depends on, near and far."""
    found: set[str] = set()
    wave = set(edges[task_id])
    while wave - found:
        found |= wave
        wave = {far for near in wave for far in edges[near]}
    return found


def check_order(order: Sequence[str], edges: Edges, expected: set[str]) -> None:
    """Each expected task comes once, and after all that it depends on."""
    assert len(order) == len(expected)
    assert set(order) == expected
    place = {task_id: at for at, task_id in enumerate(order)}
    for task_id in order:
        assert all(place[prerequisite] < place[task_id] for prerequisite in edges[task_id])


def check_path(path: object, edges: Edges, task_id: str, wanted: Sequence[str]) -> None:
    """The path leads from the task along edges that would exist back to the task."""
    after = edges | {task_id: list(wanted)}
    assert isinstance(path, list)
    assert path[0] == path[-1] == task_id
    assert len(set(path)) == len(path) - 1 > 0
    assert all(there in after[here] for here, there in pairwise(path))


# The store and its graph, step by step.


@dataclass
class Plain:
    """What the model knows of a task."""

    number: int
    status: Status
    priority: int


def objects_in(graph: DependencyGraph) -> int:
    """Count the objects that the graph refers to, directly or not."""
    reached = {id(graph)}
    to_visit: list[object] = [graph]
    while to_visit:
        for item in gc.get_referents(to_visit.pop()):
            if id(item) not in reached and not isinstance(item, type):
                reached.add(id(item))
                to_visit.append(item)
    return len(reached)


class GraphMachine(RuleBasedStateMachine):
    """The store beside dicts, in which readiness and cycles are found by looking at all."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.model: dict[str, Plain] = {}
        self.edges: Edges = {}

    def some_id(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.model)))

    def some_ids(self, data: st.DataObject) -> tuple[str, ...]:
        """Draw a list without repeats, in any order."""
        if not self.model:
            return ()
        return tuple(data.draw(st.lists(st.sampled_from(list(self.model)), unique=True)))

    def is_blocked(self, task_id: str) -> bool:
        return any(self.model[near].status is not COMPLETED for near in self.edges[task_id])

    def ready(self) -> list[str]:
        """Return the ids in the order in which they must be handed out."""
        ids = [i for i in self.model if self.model[i].status is PENDING and not self.is_blocked(i)]
        return sorted(ids, key=lambda i: (-self.model[i].priority, self.model[i].number))

    def picture(self) -> tuple[object, ...]:
        """Return all that a refused change must leave as it was."""
        graph, tasks = self.store._graph, self.store.page(1_000)
        return tasks, self.store.queued(), [graph.dependents(task.id) for task in tasks]

    @rule(data=st.data(), tasks=st.lists(st.tuples(STATUSES, PRIORITIES), min_size=1, max_size=4))
    def create(self, data: st.DataObject, tasks: list[tuple[Status, int]]) -> None:
        for status, priority in tasks:
            wanted = self.some_ids(data)
            fields = {"title": "x", "status": status, "priority": priority, "dependencies": wanted}

            task = self.store.create(fields)

            self.model[task.id] = Plain(task.number, status, priority)
            self.edges[task.id] = list(wanted)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), status=st.none() | STATUSES)
    def depend(self, data: st.DataObject, status: Status | None) -> None:
        """Give a task other prerequisites, perhaps with another status; a cycle is refused."""
        task_id, wanted = self.some_id(data), self.some_ids(data)
        closes_a_cycle = any(task_id in {near, *below(self.edges, near)} for near in wanted)
        fields = {"dependencies": wanted} | ({} if status is None else {"status": status})
        picture = self.picture()

        if closes_a_cycle:
            with pytest.raises(CycleDetected) as caught:
                self.store.update(task_id, fields)
            check_path(caught.value.details["cyclePath"], self.edges, task_id, wanted)
            assert self.picture() == picture
        else:
            assert self.store.update(task_id, fields).dependencies == wanted
            self.edges[task_id] = list(wanted)
            self.model[task_id].status = status or self.model[task_id].status

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        task_id = self.some_id(data)
        wanted = tuple(data.draw(st.permutations(self.edges[task_id])))
        self.store.update(task_id, {"dependencies": wanted})
        self.edges[task_id] = list(wanted)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), status=STATUSES, priority=PRIORITIES)
    def change(self, data: st.DataObject, status: Status, priority: int) -> None:
        task_id = self.some_id(data)
        self.store.update(task_id, {"status": status, "priority": priority})
        self.model[task_id].status, self.model[task_id].priority = status, priority

    @precondition(lambda self: any(self.edges.values()))
    @rule(data=st.data())
    def finish_or_reopen(self, data: st.DataObject) -> None:
        """Change the status of a task that others wait for."""
        needed = sorted({near for prerequisites in self.edges.values() for near in prerequisites})
        task_id = data.draw(st.sampled_from(needed))
        status = PENDING if self.model[task_id].status is COMPLETED else COMPLETED
        self.store.update(task_id, {"status": status})
        self.model[task_id].status = status

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def miss(self, data: st.DataObject) -> None:
        """A prerequisite that does not exist is refused, wherever it stands in the list."""
        task_id, wanted = self.some_id(data), [*self.some_ids(data), "no id"]
        fields = {"title": "new", "dependencies": tuple(data.draw(st.permutations(wanted)))}
        picture = self.picture()

        with pytest.raises(MissingDependency):
            self.store.update(task_id, fields)
        with pytest.raises(MissingDependency):
            self.store.create(fields)

        assert self.picture() == picture

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        task_id = self.some_id(data)
        dependents = [i for i in self.model if task_id in self.edges[i]]
        before = {dependent: self.store.get(dependent) for dependent in dependents}

        self.store.delete(task_id)

        del self.model[task_id], self.edges[task_id]
        for dependent in dependents:
            self.edges[dependent].remove(task_id)
            assert self.store.get(dependent).updated_at > before[dependent].updated_at

    @rule()
    def claim(self) -> None:
        expected = self.ready()
        task = self.store.claim()
        assert (task and task.id) == (expected[0] if expected else None)
        if task is not None:
            self.model[task.id].status = Status.IN_PROGRESS

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        task_id = self.some_id(data)
        order = [task.id for task in self.store.resolve(task_id)]
        assert order[-1] == task_id
        check_order(order, self.edges, {task_id, *below(self.edges, task_id)})

    @invariant()
    def all_tasks_resolve(self) -> None:
        check_order([task.id for task in self.store.resolve()], self.edges, set(self.model))

    @invariant()
    def the_edges_are_the_same_both_ways(self) -> None:
        graph = self.store._graph
        for task_id, prerequisites in self.edges.items():
            assert list(self.store.get(task_id).dependencies) == prerequisites
            dependents = [i for i in self.edges if task_id in self.edges[i]]
            assert sorted(graph.dependents(task_id)) == sorted(dependents)

    @invariant()
    def what_is_blocked_is_known(self) -> None:
        graph = self.store._graph
        assert [graph.is_blocked(i) for i in self.model] == [self.is_blocked(i) for i in self.model]

    @invariant()
    def the_queue_has_what_is_ready_and_nothing_else(self) -> None:
        expected = self.ready()
        following = self.store.next_ready()
        assert sorted(task.id for task in self.store.queued()) == sorted(expected)
        assert (following and following.id) == (expected[0] if expected else None)

    def teardown(self) -> None:
        """When all tasks are gone, the graph holds nothing."""
        for task_id in self.model:
            self.store.delete(task_id)
        assert objects_in(self.store._graph) <= objects_in(DependencyGraph())


TestGraph = GraphMachine.TestCase

# Single cases.


def created(
    store: Store, *prerequisites: Task, status: Status = PENDING, priority: int = 1
) -> Task:
    """Add a task that depends on these."""
    ids = tuple(task.id for task in prerequisites)
    fields = {"title": "x", "dependencies": ids, "status": status, "priority": priority}
    return store.create(fields)


def test_a_task_waits_for_the_last_of_its_prerequisites() -> None:
    store = Store()
    first, second = created(store), created(store)
    waiting = created(store, first, second, priority=9)

    store.update(first.id, {"status": COMPLETED})
    assert store.next_ready() == second
    store.update(second.id, {"status": COMPLETED})

    assert store.next_ready() == waiting


def test_reopening_a_prerequisite_blocks_its_pending_dependents_alone() -> None:
    store = Store()
    base = created(store, status=COMPLETED)
    created(store, base, priority=9)
    working = created(store, base, status=Status.IN_PROGRESS)

    reopened = store.update(base.id, {"status": PENDING})

    assert store.queued() == [reopened]
    assert store.get(working.id) is working


def test_deleting_an_unfinished_prerequisite_makes_its_dependents_ready() -> None:
    store = Store()
    base = created(store)
    waiting = created(store, base)

    store.delete(base.id)

    following = store.next_ready()
    assert following is not None
    assert (following.id, following.dependencies) == (waiting.id, ())


class CountingId(str):
    """An id that counts how often any dict or set looks for it."""

    hashed = 0

    def __hash__(self) -> int:
        CountingId.hashed += 1
        return super().__hash__()


def test_a_change_without_prerequisites_looks_at_no_other_task() -> None:
    graph = DependencyGraph()
    added(graph, CountingId("base"))
    for number in range(100):
        added(graph, CountingId(number), CountingId("base"))
    CountingId.hashed = 0

    assert graph.find_cycle(CountingId("base"), ()) is None
    assert CountingId.hashed < 10


def test_the_path_of_a_cycle_begins_and_ends_with_the_task() -> None:
    store = Store()
    first = created(store)
    second = created(store, first)
    third = created(store, second)

    with pytest.raises(CycleDetected) as caught:
        store.update(first.id, {"dependencies": (third.id,)})
    assert caught.value.details["cyclePath"] == [first.id, third.id, second.id, first.id]
    with pytest.raises(CycleDetected) as caught:
        store.update(first.id, {"dependencies": (first.id,)})
    assert caught.value.details["cyclePath"] == [first.id, first.id]


def test_a_change_that_turns_an_edge_around_is_no_cycle() -> None:
    """Only the wanted prerequisites count, not those that the change takes away."""
    store = Store()
    first = created(store)
    second = created(store, first)

    store.update(second.id, {"dependencies": ()})
    store.update(first.id, {"dependencies": (second.id,)})

    assert [task.id for task in store.resolve()] == [second.id, first.id]


def test_an_unknown_prerequisite_is_named_before_an_unknown_task() -> None:
    store = Store()
    with pytest.raises(MissingDependency) as caught:
        store.update("no task", {"dependencies": ("no prerequisite",)})
    assert caught.value.details == {"missingTaskId": "no prerequisite"}
    with pytest.raises(TaskNotFound):
        store.update("no task", {"dependencies": ()})
    with pytest.raises(TaskNotFound):
        store.resolve("no task")


def test_an_order_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskflow.store.MAX_RESOLVED", 3)
    store = Store()
    tasks = [created(store)]
    for _ in range(3):
        tasks.append(created(store, tasks[-1]))

    assert store.resolve(tasks[2].id) == tasks[:3]
    with pytest.raises(ResultTooLarge):
        store.resolve(tasks[3].id)
    with pytest.raises(ResultTooLarge):
        store.resolve()


# The graph without a store.


@dataclass(slots=True)
class Light:
    """As much of a task as the graph looks at, so that a million of them are soon made."""

    id: str
    dependencies: tuple[str, ...]
    status: Status = PENDING


def added(graph: DependencyGraph, task_id: str, *prerequisites: str) -> None:
    graph.apply(Change(None, cast("Task", Light(task_id, prerequisites))))


def chain(length: int) -> DependencyGraph:
    """Return a graph in which `1` depends on `0`, `2` on `1`, and so on."""
    graph = DependencyGraph()
    added(graph, "0")
    for below_it, task_id in pairwise(map(str, range(length))):
        added(graph, task_id, below_it)
    return graph


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    """Return the edges of a graph without cycles: each task depends on tasks drawn before it."""
    edges: Edges = {}
    for number in range(draw(st.integers(1, 12))):
        earlier = st.sampled_from(list(edges)) if edges else st.nothing()
        edges[f"task {number}"] = draw(st.lists(earlier, unique=True))
    return edges


@given(graphs(), st.data())
def test_every_graph_has_an_order(edges: Edges, data: st.DataObject) -> None:
    graph = DependencyGraph()
    for task_id, prerequisites in edges.items():
        added(graph, task_id, *prerequisites)
    roots = data.draw(st.lists(st.sampled_from(list(edges))))

    order = list(graph.order(roots))

    check_order(order, edges, set(roots).union(*(below(edges, root) for root in roots)))


@given(graphs(), st.data())
def test_a_cycle_is_found_where_one_would_be_closed(edges: Edges, data: st.DataObject) -> None:
    graph = DependencyGraph()
    for task_id, prerequisites in edges.items():
        added(graph, task_id, *prerequisites)
    ids = st.sampled_from(list(edges))
    task_id, wanted = data.draw(ids), data.draw(st.lists(ids, unique=True))

    path = graph.find_cycle(task_id, wanted)

    if any(task_id in {near, *below(edges, near)} for near in wanted):
        assert path is not None
        check_path(path, edges, task_id, wanted)
    else:
        assert path is None


def test_prerequisites_are_followed_in_the_order_given() -> None:
    graph = DependencyGraph()
    for task_id in "abc":
        added(graph, task_id)
    added(graph, "d", "c", "a", "b")

    assert list(graph.order(["d"])) == ["c", "a", "b", "d"]


def test_an_order_is_made_as_it_is_taken() -> None:
    """Whoever has seen enough stops, and the rest of the graph is not walked."""
    order = chain(10).order(str(number) for number in range(10))
    assert [next(order), next(order)] == ["0", "1"]


def test_a_graph_with_many_ways_is_walked_once() -> None:
    """Two tasks on each of 22 floors, each on both of the floor below: four million ways down."""
    graph = DependencyGraph()
    for task_id in "0a", "0b":
        added(graph, task_id)
    for below_it, floor in pairwise(range(22)):
        for side in "ab":
            added(graph, f"{floor}{side}", f"{below_it}a", f"{below_it}b")
    added(graph, "needed")
    added(graph, "waiting", "needed")

    start = process_time()
    path = graph.find_cycle("needed", ["21a", "21b"])
    order = list(graph.order(["21a", "21b"]))

    assert path is None
    assert len(order) == len(set(order)) == 44
    assert process_time() - start < 0.5


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Spare a test that makes millions of objects the collector's walks through them."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_a_million_resolves() -> None:
    order = list(chain(1_000_000).order(["999999"]))
    assert order == [str(number) for number in range(1_000_000)]


@pytest.mark.usefixtures("no_collector")
def test_a_long_chain_is_searched_for_a_cycle() -> None:
    graph = chain(100_000)

    path = graph.find_cycle("0", ["99999"])

    assert path == ["0", *(str(number) for number in reversed(range(100_000)))]
    assert graph.find_cycle("50000", ["49999"]) is None
