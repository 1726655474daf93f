"""Deadlines, told the time: the clock here is a number that the tests turn."""

import math
from typing import cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from taskflow.deadlines import MIN_BODY_BYTES, MIN_RESPONSE_BYTES, Deadline, Timeouts, Waiting

TIMEOUTS = Timeouts(idle=30, head=10, body=7, write=20)
LEAST = {Waiting.BODY: MIN_BODY_BYTES, Waiting.WRITE: MIN_RESPONSE_BYTES}
SECONDS = {Waiting.REQUEST: 30, Waiting.HEAD: 10, Waiting.BODY: 7, Waiting.WRITE: 20}


def test_each_wait_has_its_time_and_nothing_has_for_ever() -> None:
    assert {waiting: TIMEOUTS.of(waiting) for waiting in SECONDS} == SECONDS
    assert TIMEOUTS.of(Waiting.NOTHING) == math.inf
    assert Timeouts() == Timeouts(idle=75.0, head=10.0, body=10.0, write=30.0)


def test_a_new_deadline_waits_for_nothing() -> None:
    assert Deadline(TIMEOUTS).missed(1e9) is Waiting.NOTHING


@pytest.mark.parametrize("waiting", SECONDS)
def test_a_client_has_its_time_to_the_end_and_is_too_slow_once(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.set(waiting, 100)

    assert deadline.missed(100 + SECONDS[waiting] - 0.001) is Waiting.NOTHING
    assert deadline.missed(100 + SECONDS[waiting]) is waiting
    assert deadline.missed(1e9) is Waiting.NOTHING


@pytest.mark.parametrize("waiting", SECONDS)
def test_a_wait_that_goes_on_does_not_begin_again(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    for moved, now in enumerate([100, 103, 106]):
        deadline.set(waiting, now, moved)
    assert deadline.missed(100 + SECONDS[waiting], 3) is waiting


@pytest.mark.parametrize("waiting", SECONDS)
def test_a_wait_that_was_over_begins_anew(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    for now in 100, 105:
        deadline.set(waiting, now)
        deadline.set(Waiting.NOTHING, now)
    deadline.set(waiting, 106)
    assert deadline.missed(106 + SECONDS[waiting] - 0.001) is Waiting.NOTHING
    assert deadline.missed(106 + SECONDS[waiting]) is waiting


@pytest.mark.parametrize(
    ("waiting", "least"), [(Waiting.BODY, MIN_BODY_BYTES), (Waiting.WRITE, MIN_RESPONSE_BYTES)]
)
def test_a_client_may_be_slow_if_it_moves_enough(waiting: Waiting, least: int) -> None:
    deadline = Deadline(TIMEOUTS)
    # What was moved before the wait does not count.
    moved = 10 * least
    deadline.set(waiting, 0, moved)
    for period in 1, 2, 3:
        moved += least
        assert deadline.missed(SECONDS[waiting] * period, moved) is Waiting.NOTHING
    moved += least - 1
    assert deadline.missed(SECONDS[waiting] * 4 - 0.001, moved) is Waiting.NOTHING
    assert deadline.missed(SECONDS[waiting] * 4, moved) is waiting


def test_one_byte_every_29_seconds_is_too_slow_for_a_response() -> None:
    deadline = Deadline(Timeouts())
    deadline.set(Waiting.WRITE, 0)
    missed = [deadline.missed(now, moved) for moved, now in enumerate([29, 58, 87])]
    assert missed == [Waiting.NOTHING, Waiting.WRITE, Waiting.NOTHING]


@pytest.mark.parametrize("waiting", [Waiting.HEAD, Waiting.REQUEST])
def test_bytes_buy_no_time_for_other_waits(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.set(waiting, 0)
    assert deadline.missed(SECONDS[waiting], 10 * MIN_RESPONSE_BYTES) is waiting


# All that may happen, against a diary in which everything is looked up from the beginning.

Event = tuple[str, float, object]


class DeadlineMachine(RuleBasedStateMachine):
    """A deadline beside the diary of what happened, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.deadline = Deadline(TIMEOUTS)
        self.diary: list[Event] = []

    def note(self, what: str, value: object = None) -> None:
        self.diary.append((what, self.now, value))

    @property
    def moved(self) -> int:
        """All bytes that were moved."""
        return sum(cast(int, value) for what, _, value in self.diary if what == "moves")

    def state(self) -> tuple[Waiting, float, int]:
        """Read the diary: what is waited for, since when, and how much has moved since then."""
        waiting, since, bytes_since = Waiting.NOTHING, 0.0, 0
        for what, when, value in self.diary:
            if what == "moves":
                bytes_since += cast(int, value)
            elif value is not waiting or what == "restarts":
                waiting, since, bytes_since = cast(Waiting, value), when, 0
        return waiting, since, bytes_since

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0, 10.0, 20.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(waiting=st.sampled_from(Waiting))
    def wait_for(self, waiting: Waiting) -> None:
        self.deadline.set(waiting, self.now, self.moved)
        self.note("waits", waiting)

    @rule(count=st.sampled_from([1, 511, 512, 1023, 1024, 5000, 32_768, 65_536]))
    def move(self, count: int) -> None:
        self.note("moves", count)

    @rule()
    def look(self) -> None:
        waiting, since, bytes_since = self.state()
        late = waiting is not Waiting.NOTHING and self.now - since >= SECONDS[waiting]
        moves = waiting in LEAST and bytes_since >= LEAST[waiting]

        missed = self.deadline.missed(self.now, self.moved)

        assert missed is (waiting if late and not moves else Waiting.NOTHING)
        if late:
            self.note("restarts", waiting if moves else Waiting.NOTHING)


TestDeadline = DeadlineMachine.TestCase
