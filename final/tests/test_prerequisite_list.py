"""The linked list of prerequisites, beside a list."""

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from taskflow.dependencies import PrerequisiteList


def backwards(items: PrerequisiteList) -> Iterator[str]:
    """Yield the ids along the other links."""
    node = items.last
    while node is not None:
        yield node.task_id
        node = node.previous


class ListMachine(RuleBasedStateMachine):
    """The linked list beside a list."""

    def __init__(self) -> None:
        super().__init__()
        self.linked = PrerequisiteList()
        self.model: list[str] = []

    @rule(item=st.sampled_from("abcdefgh"))
    def append(self, item: str) -> None:
        if item not in self.model:
            self.linked.append(item)
            self.model.append(item)

    @rule(item=st.sampled_from("abcdefgh"))
    def remove(self, item: str) -> None:
        if item in self.model:
            self.linked.remove(item)
            self.model.remove(item)
        else:
            with pytest.raises(KeyError):
                self.linked.remove(item)

    @invariant()
    def both_ways_are_the_same(self) -> None:
        assert list(self.linked) == self.model
        assert list(backwards(self.linked)) == self.model[::-1]


TestPrerequisiteList = ListMachine.TestCase
