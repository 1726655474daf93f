"""The store: against a plain dict of fields, in which everything is found by looking at all."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow.errors import StoreFull, TaskNotFound
from taskflow.store import CreationOrder, Store
from taskflow.tasks import Status, Task, new_task

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
    def the_order_of_creation_is_swept(self) -> None:
        check_swept(self.store._order, len(self.model))


TestStore = StoreMachine.TestCase


def check_swept(order: CreationOrder, size: int) -> None:
    """At most half of the entries are of tasks that are gone."""
    assert len(order._entries) == size + len(order._deleted)
    assert len(order._deleted) <= size


def numbered(count: int) -> list[Task]:
    return [new_task(number, {"title": f"{number}"}) for number in range(1, count + 1)]


def test_the_order_of_creation_does_not_grow_with_what_is_gone() -> None:
    order, kept, *others = CreationOrder(), *numbered(500)
    order.add(kept)
    for task in others:
        order.add(task)
        order.remove(task)
        check_swept(order, 1)

    assert list(order.ids_after(0)) == [kept.id]


def test_a_page_goes_on_from_the_place_of_a_task_that_is_gone() -> None:
    order, tasks = CreationOrder(), numbered(9)
    for task in tasks:
        order.add(task)
    for task in tasks[:6]:  # the fifth sweeps
        order.remove(task)

    assert list(order.ids_after(tasks[3].number)) == [task.id for task in tasks[6:]]
    assert list(order.ids_after(tasks[7].number)) == [tasks[8].id]
    assert list(order.ids_after(tasks[8].number)) == []


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
