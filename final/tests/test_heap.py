"""The heap: against a sorted list, and against its invariant after every step."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow.heap import Key, PriorityHeap

PRIORITIES = st.integers(-3, 3)  # so few that most keys tie in it


def drained(heap: PriorityHeap) -> list[str]:
    """Return all items in the order in which they come out."""
    return [heap.pop() for _ in range(len(heap))]


def check_structure(heap: PriorityHeap, keys: Mapping[str, Key]) -> None:
    """Check that no child in the array is greater than its parent."""
    array = heap.items()
    for position in range(1, len(array)):
        assert keys[array[(position - 1) // 2]] > keys[array[position]]


class HeapMachine(RuleBasedStateMachine):
    """The heap beside a dict that is sorted whenever its greatest is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.heap = PriorityHeap()
        self.model: dict[str, Key] = {}
        self.pushed = 0

    def ranked(self) -> list[str]:
        return sorted(self.model, key=self.model.__getitem__, reverse=True)

    def some_item(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.model)))

    @rule(priorities=st.lists(PRIORITIES, min_size=1, max_size=8))
    def push(self, priorities: list[int]) -> None:
        for priority in priorities:
            self.pushed += 1
            item, key = f"item {self.pushed}", (priority, -self.pushed)
            self.heap.push(item, key)
            self.model[item] = key

    @precondition(lambda self: self.model)
    @rule()
    def pop(self) -> None:
        expected = self.ranked()[0]
        assert self.heap.pop() == expected
        del self.model[expected]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), priority=PRIORITIES)
    def update(self, data: st.DataObject, priority: int) -> None:
        item = self.some_item(data)
        key = (priority, self.model[item][1])
        self.heap.update(item, key)
        self.model[item] = key

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        item = self.some_item(data)
        self.heap.remove(item)
        del self.model[item]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def push_again(self, data: st.DataObject) -> None:
        with pytest.raises(ValueError):
            self.heap.push(self.some_item(data), (9, 0))

    @rule()
    def miss(self) -> None:
        with pytest.raises(KeyError):
            self.heap.remove("no item")
        with pytest.raises(KeyError):
            self.heap.update("no item", (9, 0))

    @invariant()
    def the_greatest_is_at_the_root(self) -> None:
        assert self.heap.peek() == (self.ranked()[0] if self.model else None)

    @invariant()
    def the_items_are_the_same(self) -> None:
        assert len(self.heap) == len(self.model)
        assert set(self.heap.items()) == set(self.model)
        assert all(item in self.heap for item in self.model)
        assert "no item" not in self.heap

    @invariant()
    def the_structure_holds(self) -> None:
        check_structure(self.heap, self.model)

    def teardown(self) -> None:
        assert drained(self.heap) == self.ranked()


TestHeap = HeapMachine.TestCase


def test_an_empty_heap_has_nothing_to_give() -> None:
    heap = PriorityHeap()

    assert heap.peek() is None
    with pytest.raises(IndexError):
        heap.pop()


def test_ties_come_out_in_order_of_creation() -> None:
    heap = PriorityHeap()
    for number, item in enumerate("abcdefgh", start=1):
        heap.push(item, (1, -number))

    assert drained(heap) == list("abcdefgh")


def test_an_update_moves_an_item_up_or_down() -> None:
    heap = PriorityHeap()
    for number, item in enumerate("abcde", start=1):
        heap.push(item, (5, -number))

    heap.update("d", (9, -4))
    heap.update("a", (1, -1))

    assert drained(heap) == ["d", "b", "c", "e", "a"]


def test_removing_from_the_middle_may_let_the_last_entry_rise() -> None:
    """The entry that fills the hole comes from another branch: it may belong above the hole."""
    heap = PriorityHeap()
    priorities = [100, 20, 90, 10, 15, 80, 85, 5, 6, 7, 8, 70]  # each child below its parent
    keys = {f"item {place}": (priority, -place) for place, priority in enumerate(priorities)}
    for item, key in keys.items():
        heap.push(item, key)
    assert heap.items() == list(keys)

    heap.remove("item 7")  # a child of 10; the last entry, 70, fills the hole

    check_structure(heap, keys)
    assert heap.items()[1] == "item 11"


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1_000])
def test_a_heap_sorts(size: int) -> None:
    keys = random.Random(size).sample(range(size * 10), size)
    heap = PriorityHeap()
    for key in keys:
        heap.push(str(key), (key, 0))

    assert drained(heap) == [str(key) for key in sorted(keys, reverse=True)]
