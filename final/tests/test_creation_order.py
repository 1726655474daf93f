"""The order of creation: beside a dict that is sorted, and by the number of tasks looked at."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow import store as store_module
from taskflow.store import BLOCK, Block, CreationOrder
from taskflow.tasks import Change, Status, Task, changed, new_task

NUMBERS = st.integers(1, 5 * BLOCK)
STATUSES = st.sampled_from(Status)


def numbered(*numbers: int, status: Status = Status.PENDING) -> list[Task]:
    return [new_task(number, {"title": f"{number}", "status": status}) for number in numbers]


def order_of(*tasks: Task) -> CreationOrder:
    order = CreationOrder()
    for task in tasks:
        order.apply(Change(None, task))
    return order


class OrderMachine(RuleBasedStateMachine):
    """The order beside a dict of the tasks by their numbers, and snapshots beside lists."""

    def __init__(self) -> None:
        super().__init__()
        self.order = CreationOrder()
        self.model: dict[int, Task] = {}

    def expected(self) -> list[Task]:
        return [self.model[number] for number in sorted(self.model)]

    @rule(number=NUMBERS, status=STATUSES)
    def put(self, number: int, status: Status) -> None:
        before = self.model.get(number)
        [after] = numbered(number, status=status)
        self.order.apply(Change(before, after))
        self.model[number] = after

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.model)))
        self.order.apply(Change(self.model.pop(number), None))

    @rule(data=st.data())
    def a_snapshot_does_not_change(self, data: st.DataObject) -> None:
        expected, snapshot = self.expected(), self.order.snapshot()
        self.put(data.draw(NUMBERS), data.draw(STATUSES))
        if data.draw(st.booleans()):
            self.remove(data)
        assert list(snapshot) == expected

    @rule(number=st.integers(0, 6 * BLOCK), status=st.none() | STATUSES)
    def a_page_begins_anywhere(self, number: int, status: Status | None) -> None:
        expected = [
            task
            for task in self.expected()
            if task.number > number and status in (None, task.status)
        ]
        assert list(self.order.after(number, status)) == expected

    @invariant()
    def the_tasks_are_those_of_the_model(self) -> None:
        assert list(self.order.after(0)) == list(self.order.snapshot()) == self.expected()


TestCreationOrder = OrderMachine.TestCase


@pytest.mark.parametrize("rare", [0, 1, 3])
def test_a_page_of_a_rare_status_looks_at_few_tasks(
    monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    """A loop over all tasks would hold up every other request for half a second at a million."""
    order = order_of(*numbered(*range(1, 100 * BLOCK)))
    tasks = numbered(*range(100 * BLOCK, 100 * BLOCK + rare), status=Status.COMPLETED)
    for task in tasks:
        order.apply(Change(None, task))
    looked_at = 0
    original = store_module._sorted

    def counted(block: Block, status: Status | None = None) -> list[Task]:
        nonlocal looked_at
        found = original(block, status)
        looked_at += len(found)
        return found

    monkeypatch.setattr(store_module, "_sorted", counted)
    assert list(order.after(0, Status.COMPLETED)) == tasks
    assert looked_at == rare


def test_a_deleted_task_leaves_nothing_behind() -> None:
    tasks = numbered(*range(1, 3 * BLOCK))
    order = order_of(*tasks)
    for task in tasks[:-1]:
        order.apply(Change(task, None))
    assert list(order.after(0)) == tasks[-1:]
    assert len(order._blocks) == len(order._keys) == 1


def test_a_change_copies_a_block_once_after_a_snapshot() -> None:
    first, second = numbered(1, 2)
    order = order_of(first, second)
    snapshot = order.snapshot()
    shared = order._blocks[0]

    order.apply(Change(first, changed(first, {"priority": 2})))
    copied = order._blocks[0]
    order.apply(Change(second, changed(second, {"priority": 2})))

    assert copied is not shared
    assert order._blocks[0] is copied
    assert list(snapshot) == [first, second]
