"""The heap: against a sorted list, and against its own invariants after every step."""

import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taskflow.heap import Key, PriorityHeap

PRIORITIES = st.integers(-3, 3)  # so few that most keys tie in it


def drained(heap: PriorityHeap) -> list[str]:
    """Return all items in the order in which they come out."""
    return [heap.pop() for _ in range(len(heap))]


def check_structure(heap: PriorityHeap) -> None:
    """No child is greater than its parent, and every entry is where it says it is."""
    array = heap._array
    for position, entry in enumerate(array):
        assert entry.position == position
        assert heap._entries[entry.item] is entry
        assert position == 0 or array[(position - 1) // 2].key > entry.key
    assert len(heap._entries) == len(array)


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
        check_structure(self.heap)

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
    keys = [100, 20, 90, 10, 15, 80, 85, 5, 6, 7, 8, 70]  # each child below its parent
    for number, key in enumerate(keys):
        heap.push(f"item {number}", (key, -number))
    assert [entry.key[0] for entry in heap._array] == keys

    heap.remove("item 7")  # under 10; the last entry, 70, fills the hole

    check_structure(heap)
    assert heap._array[1].key[0] == 70


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1_000])
def test_a_heap_sorts(size: int) -> None:
    keys = random.Random(size).sample(range(size * 10), size)
    heap = PriorityHeap()
    for key in keys:
        heap.push(str(key), (key, 0))

    assert drained(heap) == [str(key) for key in sorted(keys, reverse=True)]
