"""The store: against a plain dict of fields, in which everything is found by looking at all."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow.errors import (
    CycleDetected,
    MissingDependency,
    StoreFull,
    TaskNotFound,
    ValidationError,
)
from taskflow.store import Store
from taskflow.tasks import Change, Status, Task, new_task

STATUSES = st.sampled_from(Status)
OPTIONAL = {"description": st.text(max_size=3), "status": STATUSES, "priority": st.integers(-2, 2)}
NEW = st.fixed_dictionaries({"title": st.text(min_size=1, max_size=3)}, optional=OPTIONAL)
CHANGES = st.fixed_dictionaries({}, optional={"title": st.just("changed"), **OPTIONAL})
DEFAULTS = {"description": "", "status": Status.PENDING, "priority": 1}


class StoreMachine(RuleBasedStateMachine):
    """The store beside a dict that is in order of creation, as dicts are."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.model: dict[str, dict[str, Any]] = {}
        self.numbers: dict[str, int] = {}

    def some_id(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.model)))

    def ready(self) -> list[str]:
        """Return the ids in the order in which they must be handed out, by sorting all."""
        pending = [i for i, fields in self.model.items() if fields["status"] is Status.PENDING]
        return sorted(pending, key=lambda i: (-self.model[i]["priority"], self.numbers[i]))

    @rule(tasks=st.lists(NEW, min_size=1, max_size=5))
    def create(self, tasks: list[dict[str, Any]]) -> None:
        for fields in tasks:
            task = self.store.create(fields)
            assert task.id not in self.model
            assert task.number > max(self.numbers.values(), default=0)
            self.model[task.id] = DEFAULTS | fields
            self.numbers[task.id] = task.number

    @precondition(lambda self: self.model)
    @rule(data=st.data(), fields=CHANGES)
    def update(self, data: st.DataObject, fields: dict[str, Any]) -> None:
        task_id = self.some_id(data)
        before, model = self.store.get(task_id), self.model[task_id]

        after = self.store.update(task_id, fields)

        if model | fields == model:
            assert after is before
        else:
            assert after.updated_at > before.updated_at
            assert (after.number, after.created_at) == (before.number, before.created_at)
        model.update(fields)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        task_id = self.some_id(data)
        self.store.delete(task_id)
        del self.model[task_id]

    @rule(data=st.data(), status=st.none() | STATUSES, limit=st.integers(1, 6))
    def page(self, data: st.DataObject, status: Status | None, limit: int) -> None:
        ids = list(self.model)
        position = data.draw(st.integers(0, len(ids)))
        after = self.store.get(ids[position - 1]).number if position else 0

        tasks = self.store.page(limit, after, status)

        of_status = [i for i in ids[position:] if status in (None, self.model[i]["status"])]
        assert [task.id for task in tasks] == of_status[:limit]

    @rule()
    def claim(self) -> None:
        expected = self.ready()

        task = self.store.claim()

        assert (task and task.id) == (expected[0] if expected else None)
        if task is not None:
            assert task.status is Status.IN_PROGRESS
            self.model[task.id]["status"] = Status.IN_PROGRESS

    @rule()
    def miss(self) -> None:
        with pytest.raises(TaskNotFound):
            self.store.get("no id")
        with pytest.raises(TaskNotFound):
            self.store.update("no id", {})
        with pytest.raises(TaskNotFound):
            self.store.delete("no id")

    @invariant()
    def the_tasks_are_those_of_the_model(self) -> None:
        tasks = self.store.page(len(self.model) + 1)
        assert len(self.store) == len(self.model)
        assert [task.id for task in tasks] == list(self.model)
        for task in tasks:
            assert self.store.get(task.id) is task
            fields = self.model[task.id]
            assert {name: getattr(task, name) for name in fields} == fields

    @invariant()
    def the_queue_has_what_is_ready_and_nothing_else(self) -> None:
        expected = self.ready()
        queued = [task.id for task in self.store.queued()]
        following = self.store.next_ready()

        assert sorted(queued) == sorted(expected)
        assert (following and following.id) == (expected[0] if expected else None)
        rank = {task_id: at for at, task_id in enumerate(expected)}
        for at, task_id in enumerate(queued[1:], start=1):
            assert rank[queued[(at - 1) // 2]] < rank[task_id]  # the array is a heap

    @invariant()
    def each_status_has_its_tasks_in_order(self) -> None:
        for status in Status:
            expected = [i for i, fields in self.model.items() if fields["status"] is status]
            assert [task.id for task in self.store.page(10_000, status=status)] == expected


TestStore = StoreMachine.TestCase


def numbered(count: int) -> list[Task]:
    return [new_task(number, {"title": f"{number}"}) for number in range(1, count + 1)]


def test_pages_show_each_task_once_though_tasks_come_and_go_between_them() -> None:
    store = Store()
    tasks = [store.create({"title": f"{number}"}) for number in range(10)]

    first = store.page(4)
    for task in tasks[:3] + tasks[5:7]:
        store.delete(task.id)
    added = store.create({"title": "added"})
    second = store.page(4, after=first[-1].number)

    assert first == tasks[:4]
    assert second == [tasks[4], *tasks[7:]]
    assert store.page(4, after=second[-1].number) == [added]


def test_a_task_may_be_made_before_it_is_added() -> None:
    store = Store()
    numbers = [store.next_number(), store.next_number()]
    whole = new_task(numbers[1], {"title": "whole"})
    assert len(store) == 0

    store.insert(whole)
    created = store.create({"title": "created"})

    assert store.get(whole.id) is whole
    assert store.page(9) == [whole, created]
    assert numbers[0] < whole.number < created.number


def test_a_full_store_takes_a_task_when_another_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskflow.store.MAX_TASKS", 2)
    store = Store()
    first, second = store.create({"title": "1"}), store.create({"title": "2"})

    with pytest.raises(StoreFull):
        store.create({"title": "3"})
    assert store.page(9) == [first, second]
    store.delete(first.id)

    third = store.create({"title": "3"})
    assert store.page(9) == [second, third]
    assert third.number > second.number


def test_ties_are_claimed_in_order_of_creation_whatever_happened_between() -> None:
    store = Store()
    first, second, third = [store.create({"title": title, "priority": 5}) for title in "abc"]
    store.update(first.id, {"priority": 1})
    store.update(second.id, {"status": Status.COMPLETED})
    store.update(second.id, {"status": Status.PENDING})
    store.update(first.id, {"priority": 5})

    claimed = [store.claim() for _ in range(4)]

    assert [task and task.id for task in claimed] == [first.id, second.id, third.id, None]


# Tasks that are whole already, and may come late.


def test_a_task_that_comes_late_has_the_place_of_its_number() -> None:
    store = Store()
    first, second, third = numbered(3)
    for task in third, first, second:
        store.insert(task)

    assert store.snapshot() == store.page(9) == store.resolve() == [first, second, third]
    assert store.page(1, after=first.number) == [second]
    assert [store.claim() for _ in range(4)] == [*store.page(3), None]


def test_a_task_that_comes_late_has_its_place_though_others_are_gone() -> None:
    store = Store()
    tasks = numbered(9)
    for task in tasks[::2]:
        store.insert(task)
    for task in tasks[:6:2]:
        store.delete(task.id)
    for task in tasks[1::2]:
        store.insert(task)

    assert store.page(9) == store.snapshot() == [tasks[at] for at in (1, 3, 5, 6, 7, 8)]


def test_an_id_that_exists_is_refused_and_nothing_changes() -> None:
    store = Store()
    task = store.create({"title": "x"})
    told = listening(store)
    for fields in {"title": "other"}, {"title": "other", "dependencies": ("no id",)}:
        with pytest.raises(ValidationError) as caught:
            store.insert(new_task(store.next_number(), {**fields, "id": task.id}))
        assert caught.value.details == {"field": "id", "reason": "exists already"}
    assert store.snapshot() == store.queued() == [task]
    assert told == []


def test_a_task_that_is_whole_may_not_depend_on_what_is_not_there() -> None:
    store = Store()
    with pytest.raises(MissingDependency):
        store.insert(new_task(1, {"title": "x", "dependencies": ("no id",)}))
    assert store.snapshot() == []


def test_a_task_that_is_whole_is_ready_when_what_it_depends_on_is_completed() -> None:
    store = Store()
    done = store.create({"title": "done", "status": Status.COMPLETED})
    open_ = store.create({"title": "open", "status": Status.IN_PROGRESS})
    ready = new_task(store.next_number(), {"title": "ready", "dependencies": (done.id,)})
    blocked = new_task(store.next_number(), {"title": "no", "dependencies": (done.id, open_.id)})
    for task in blocked, ready:
        store.insert(task)

    assert store.queued() == [ready]


# Snapshots.


def test_a_snapshot_stays_as_it_was() -> None:
    store = Store()
    assert store.snapshot() == []
    first, second = store.create({"title": "1"}), store.create({"title": "2"})
    snapshot = store.snapshot()
    store.delete(first.id)
    changed = store.update(second.id, {"title": "changed"})

    assert snapshot == [first, second]
    assert store.snapshot() == [changed]


# Listeners.


def listening(store: Store) -> list[list[tuple[str, str]]]:
    """Return what a listener of the store is told, from now on: a list for each call."""
    told: list[list[tuple[str, str]]] = []
    store.listeners.append(lambda changes: told.append([(c.type, c.task_id) for c in changes]))
    return told


def test_a_listener_is_told_once_of_all_that_changed_together() -> None:
    store = Store()
    told = listening(store)
    first = store.create({"title": "first"}).id
    second = store.create({"title": "second", "dependencies": (first,)}).id
    store.update(second, {"title": "again"})
    store.update(second, {"title": "again"})  # changes nothing
    store.claim()
    store.delete(first)

    assert told == [
        [("task.created", first)],
        [("task.created", second)],
        [("task.updated", second)],
        [("task.updated", first)],
        [("task.updated", second), ("task.deleted", first)],
    ]


def test_a_listener_is_told_when_the_store_has_changed() -> None:
    store = Store()
    seen: list[list[Task]] = []
    store.listeners.append(lambda changes: seen.append(store.page(9)))

    task = store.create({"title": "x"})
    store.delete(task.id)

    assert seen == [[task], []]


def test_a_refused_change_is_not_told() -> None:
    store = Store()
    task = store.create({"title": "x"}).id
    told = listening(store)
    with pytest.raises(MissingDependency):
        store.create({"title": "y", "dependencies": ("no id",)})
    with pytest.raises(CycleDetected):
        store.update(task, {"dependencies": (task,)})
    with pytest.raises(TaskNotFound):
        store.delete("no id")
    assert told == []


def test_every_listener_is_told() -> None:
    store = Store()
    first, second = listening(store), listening(store)
    store.create({"title": "x"})
    assert len(first) == len(second) == 1


# Undo and load.


def test_changes_that_are_undone_leave_no_trace_and_are_not_told() -> None:
    store = Store()
    done = store.create({"title": "done", "status": Status.COMPLETED})
    child = store.create({"title": "child", "dependencies": (done.id,)})
    made: list[Sequence[Change]] = []
    store.listeners.append(made.append)
    store.create({"title": "new", "priority": 9})
    store.claim()
    store.update(child.id, {"priority": 5})
    store.delete(done.id)

    told = len(made)
    for changes in reversed(made):
        store.undo(changes)

    assert len(made) == told
    assert store.snapshot() == [done, child]
    assert store.next_ready() is child
    assert store.resolve(child.id) == [done, child]


def test_a_store_that_is_loaded_goes_on_where_it_was() -> None:
    before, after = Store(), Store()
    first, second = before.create({"title": "1"}), before.create({"title": "2"})
    before.update(first.id, {"dependencies": (second.id,)})  # which has a later number
    told = listening(after)

    after.load(before.snapshot())

    assert told == []
    assert after.snapshot() == before.snapshot()
    assert after.queued() == [second]
    assert after.create({"title": "3"}).number == second.number + 1
