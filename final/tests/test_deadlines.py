"""Deadlines, told the time: the clock here is a number that the tests turn."""

import math

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from taskflow.deadlines import MIN_BODY_BYTES, Deadline, Timeouts, Waiting

TIMEOUTS = Timeouts(idle=30, head=10, body=7, write=20)
SECONDS = {Waiting.REQUEST: 30, Waiting.HEAD: 10, Waiting.BODY: 7, Waiting.WRITE: 20}


def test_each_wait_has_its_time_and_nothing_has_for_ever() -> None:
    assert {waiting: TIMEOUTS.of(waiting) for waiting in SECONDS} == SECONDS
    assert TIMEOUTS.of(Waiting.NOTHING) == math.inf
    assert Timeouts() == Timeouts(idle=30.0, head=10.0, body=10.0, write=30.0)


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
    for now in 100, 103, 106:
        deadline.set(waiting, now)
        deadline.received(1)
    assert deadline.missed(100 + SECONDS[waiting]) is waiting


@pytest.mark.parametrize("waiting", SECONDS)
def test_a_wait_that_was_over_begins_anew(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    for now in 100, 105:
        deadline.set(waiting, now)
        deadline.set(Waiting.NOTHING, now)
    deadline.set(waiting, 106)
    assert deadline.missed(106 + SECONDS[waiting] - 0.001) is Waiting.NOTHING
    assert deadline.missed(106 + SECONDS[waiting]) is waiting


def test_a_body_may_be_slow_if_it_moves() -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.received(10 * MIN_BODY_BYTES)  # the head: of no account
    deadline.set(Waiting.BODY, 0)
    for period in 1, 2, 3:
        deadline.received(MIN_BODY_BYTES - 1)
        deadline.received(1)
        assert deadline.missed(7 * period) is Waiting.NOTHING
    deadline.received(MIN_BODY_BYTES - 1)
    assert deadline.missed(27.999) is Waiting.NOTHING
    assert deadline.missed(28) is Waiting.BODY


@pytest.mark.parametrize("waiting", [Waiting.HEAD, Waiting.REQUEST, Waiting.WRITE])
def test_bytes_buy_time_for_a_body_only(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.set(waiting, 0)
    deadline.received(10 * MIN_BODY_BYTES)
    assert deadline.missed(SECONDS[waiting]) is waiting


def test_a_client_that_takes_some_of_an_answer_has_more_time() -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.set(Waiting.WRITE, 0)
    deadline.taken(19)
    assert deadline.missed(38.999) is Waiting.NOTHING
    assert deadline.missed(39) is Waiting.WRITE


@pytest.mark.parametrize("waiting", [Waiting.REQUEST, Waiting.HEAD, Waiting.BODY])
def test_what_is_taken_is_of_no_account_for_other_waits(waiting: Waiting) -> None:
    deadline = Deadline(TIMEOUTS)
    deadline.set(waiting, 0)
    deadline.taken(6)
    assert deadline.missed(SECONDS[waiting]) is waiting


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

    def state(self) -> tuple[Waiting, float, int]:
        """Read the diary: what is waited for, since when, and how much has come since then."""
        waiting, since, bytes_since = Waiting.NOTHING, 0.0, 0
        for what, when, value in self.diary:
            restarts = {
                "waits": value is not waiting,
                "took": waiting is Waiting.WRITE,
                "moved": True,
                "missed": True,
            }
            if what == "received":
                assert isinstance(value, int)
                bytes_since += value
            elif restarts[what]:
                since, bytes_since = when, 0
                if isinstance(value, Waiting):
                    waiting = value
        return waiting, since, bytes_since

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0, 10.0, 20.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(waiting=st.sampled_from(Waiting))
    def wait_for(self, waiting: Waiting) -> None:
        self.deadline.set(waiting, self.now)
        self.note("waits", waiting)

    @rule(count=st.sampled_from([1, 511, 512, 1023, 1024, 5000]))
    def receive(self, count: int) -> None:
        self.deadline.received(count)
        self.note("received", count)

    @rule()
    def take(self) -> None:
        self.deadline.taken(self.now)
        self.note("took")

    @rule()
    def look(self) -> None:
        waiting, since, bytes_since = self.state()
        late = waiting is not Waiting.NOTHING and self.now - since >= SECONDS[waiting]
        moved = waiting is Waiting.BODY and bytes_since >= MIN_BODY_BYTES

        missed = self.deadline.missed(self.now)

        assert missed is (waiting if late and not moved else Waiting.NOTHING)
        if late:
            self.note("moved") if moved else self.note("missed", Waiting.NOTHING)


TestDeadline = DeadlineMachine.TestCase
