"""Allocation sites by tracemalloc, on demand."""

import asyncio
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from in_process import Client

from taskflow import allocations
from taskflow.allocations import TRACE_SECONDS, AllocationTracer


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self.call_later)

    def call_later(self, delay: float, callback: Callable[[], None]) -> "Timers":
        self.set.append((delay, callback))
        return self

    def cancel(self) -> None:
        """Forget the last timer, which is the only one that may be cancelled."""
        self.set.pop()

    def go_off(self) -> None:
        [(_, callback)] = self.set
        self.set.clear()
        callback()


@pytest.fixture(autouse=True)
def _not_tracing() -> Iterator[None]:
    tracemalloc.stop()
    yield
    assert not tracemalloc.is_tracing()


async def test_the_first_question_starts_tracing_and_the_second_is_answered() -> None:
    tracer = AllocationTracer()
    try:
        assert await tracer.top(5) == []
        assert tracemalloc.is_tracing()
        kept = [bytes(1_000) for _ in range(1_000)]

        top = await tracer.top(5)

        assert 0 < len(top) <= 5
        assert "test_allocations.py" in top[0]["site"]
        assert top[0]["bytes"] >= 1_000_000
        assert top[0]["blocks"] >= len(kept)
        assert [site["bytes"] for site in top] == sorted((s["bytes"] for s in top), reverse=True)
        assert len(await tracer.top(1)) == 1
    finally:
        tracer.close()


async def test_tracing_stops_60_seconds_after_the_last_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timers = Timers(monkeypatch)
    tracer = AllocationTracer()
    for _ in range(3):
        await tracer.top(1)
        assert [delay for delay, _ in timers.set] == [TRACE_SECONDS] == [60.0]  # one timer, anew
        assert tracemalloc.is_tracing()

    timers.go_off()

    assert not tracemalloc.is_tracing()


async def test_a_question_after_the_end_starts_tracing_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(allocations, "TRACE_SECONDS", 0)
    tracer = AllocationTracer()
    for _ in range(2):
        assert await tracer.top(1) == []
        while tracemalloc.is_tracing():  # noqa: ASYNC110  the timer goes off in the next turn
            await asyncio.sleep(0)


async def test_closing_stops_tracing_and_the_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = Timers(monkeypatch)
    tracer = AllocationTracer()
    await tracer.top(1)
    tracer.close()
    assert timers.set == []
    assert not tracemalloc.is_tracing()


def test_what_was_never_started_can_be_closed() -> None:
    AllocationTracer().close()


async def test_snapshots_are_taken_in_a_thread_and_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going_on: list[int] = []
    threads: set[int] = set()
    free = threading.Event()

    def slow(count: int) -> list[dict[str, Any]]:
        going_on.append(count)
        threads.add(threading.get_ident())
        free.wait()
        assert going_on == [count]
        going_on.clear()
        return [{"count": count}]

    monkeypatch.setattr(allocations, "_top_sites", slow)
    tracer = AllocationTracer()
    try:
        await tracer.top(1)
        asking = asyncio.gather(*(tracer.top(count) for count in (2, 3, 4)))
        for _ in range(1_000):
            await asyncio.sleep(0)  # the loop turns, though a snapshot is being taken
        assert going_on == [2]
        free.set()
        assert await asking == [[{"count": 2}], [{"count": 3}], [{"count": 4}]]
        assert threading.get_ident() not in threads
    finally:
        free.set()
        tracer.close()


async def test_an_application_that_stops_does_not_trace_on(client: Client) -> None:
    report = await client.shown("/tasks/system/memory?top=1")
    assert (report["tracing"], report["top"]) == (True, [])
    assert tracemalloc.is_tracing()  # the fixture sees that it is not, after the test
