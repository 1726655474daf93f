"""Memory: every bound holds, tracing runs while somebody looks, and use leaves nothing behind."""

import asyncio
import gc
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from in_process import TOKENS, Client, code_of, details_of, new_client

from taskflow import events, logs, memory
from taskflow.errors import ValidationError
from taskflow.http import Request, Response
from taskflow.memory import (
    CACHE_ENTRIES,
    HISTORY_LENGTH,
    TRACE_SECONDS,
    AllocationTracer,
    BoundedCache,
    History,
    LeakDemo,
    process_memory,
)

# The cache, against a list in which the least recently used is first.

KEYS = st.sampled_from("abcdefgh")


class CacheMachine(RuleBasedStateMachine):
    """The cache beside a list of pairs, in which everything is found by looking at all."""

    @initialize(capacity=st.integers(1, 5))
    def begin(self, capacity: int) -> None:
        self.cache = BoundedCache(capacity)
        self.model: list[tuple[str, bytes]] = []

    def used(self, key: str, value: bytes) -> None:
        """Move the pair to the end of the list, where the most recently used is."""
        self.model = [*(pair for pair in self.model if pair[0] != key), (key, value)]

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        expected = next((value for found, value in self.model if found == key), None)
        assert self.cache.get(key) == expected
        if expected is not None:
            self.used(key, expected)

    @rule(key=KEYS, value=st.binary(max_size=2))
    def put(self, key: str, value: bytes) -> None:
        self.cache.put(key, value)
        self.used(key, value)
        self.model = self.model[-self.cache.capacity :]

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.model = []

    @invariant()
    def the_entries_are_those_of_the_model_in_its_order(self) -> None:
        if hasattr(self, "cache"):
            assert len(self.cache) == len(self.model) <= self.cache.capacity
            assert list(self.cache._entries.items()) == self.model


TestCache = CacheMachine.TestCase


# Histories.


def test_a_history_keeps_the_last_entries_and_no_more() -> None:
    history = History()
    for number in range(HISTORY_LENGTH + 5):
        request = Request("GET", f"/{number}", context={"id": f"id-{number}"})
        history.answered(request, Response(200))

    assert len(history.requests) == HISTORY_LENGTH
    assert history.requests[0] == ("id-5", "/5", 200)
    assert history.requests[-1][1] == f"/{HISTORY_LENGTH + 4}"


def test_a_long_path_is_kept_in_part() -> None:
    history = History()
    history.answered(Request("GET", "/" + "x" * 10_000, context={"id": "a"}), Response(404))
    assert len(history.requests[0][1]) == 200


# Tracing.


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
        assert "test_memory.py" in top[0]["site"]
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
    monkeypatch.setattr(memory, "TRACE_SECONDS", 0)
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

    monkeypatch.setattr(memory, "_top_sites", slow)
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


# The leak.


def test_a_leak_stops_exactly_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_LEAK_BYTES", 1_000)
    demo = LeakDemo()
    demo.leak(9, 100)
    with pytest.raises(ValidationError, match=r"^count: would leak more than 1000 bytes"):
        demo.leak(1, 101)
    assert (demo.leaked_bytes, len(demo.leaked)) == (900, 9)
    demo.leak(1, 100)
    with pytest.raises(ValidationError):
        demo.leak(1, 1)

    assert sum(map(len, demo.leaked)) == demo.leaked_bytes == 1_000
    demo.clear()
    assert (demo.leaked_bytes, demo.leaked) == (0, [])
    demo.leak(10, 100)


def test_at_most_256_mib_leak() -> None:
    assert memory.MAX_LEAK_BYTES == 256 * 1024 * 1024
    demo = LeakDemo()
    with pytest.raises(ValidationError):
        demo.leak(257, 1024 * 1024)
    assert demo.leaked == []


def test_what_is_kept_in_the_cache_has_its_bound() -> None:
    demo = LeakDemo()
    for _ in range(3):
        demo.keep(CACHE_ENTRIES + 50, 10)
        assert len(demo.cache) == CACHE_ENTRIES
    demo.clear()
    assert len(demo.cache) == 0


def test_leaked_memory_comes_back_when_it_is_let_go() -> None:
    demo = LeakDemo()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        demo.leak(100, 10_000)
        assert tracemalloc.get_traced_memory()[0] - before >= 1_000_000
        demo.clear()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


# The endpoints.


async def test_the_report_says_what_the_process_holds_and_what_is_bounded(client: Client) -> None:
    await client.created()
    report = await client.shown("/tasks/system/memory")

    assert report.keys() == {"process", "collector", "bounded"}
    resident = psutil.Process(os.getpid()).memory_info().rss
    assert resident / 2 < report["process"]["residentBytes"] < resident * 2
    assert report["process"]["virtualBytes"] >= report["process"]["residentBytes"]
    assert report["collector"]["enabled"] is True
    assert len(report["collector"]["counts"]) == len(report["collector"]["stats"]) == 3
    assert report["bounded"] == {
        "requests": {"size": 1, "limit": 1_000},
        "events": {"size": 1, "limit": 1_000},
        "cache": {"size": 0, "limit": 100},
        "leakedBytes": {"size": 0, "limit": 268_435_456},
    }
    assert not tracemalloc.is_tracing()


def test_the_collector_is_shown_as_it_is() -> None:
    gc.disable()
    try:
        assert process_memory()["collector"]["enabled"] is False
    finally:
        gc.enable()


async def test_allocation_sites_are_for_admins(client: Client) -> None:
    user = Client(client.app, TOKENS.user)
    assert (await user.ask("GET", "/tasks/system/memory")).status == 200
    for query in "top=5", "top=0", "top=", "top":
        response = await user.ask("GET", f"/tasks/system/memory?{query}")
        assert (response.status, code_of(response)) == (403, "INSUFFICIENT_PERMISSIONS")
    assert not tracemalloc.is_tracing()

    first = await client.shown("/tasks/system/memory?top=3")
    second = await client.shown("/tasks/system/memory?top=3")

    assert (first["tracing"], first["top"]) == (True, [])
    assert second["tracing"] is True
    assert len(second["top"]) == 3
    assert second["top"][0].keys() == {"site", "bytes", "blocks"}


@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        ("GET", "/tasks/system/memory?top=0", "top"),
        ("GET", "/tasks/system/memory?top=101", "top"),
        ("GET", "/tasks/system/memory?top=many", "top"),
        ("GET", "/tasks/system/memory?top=1&top=1", "top"),
        *(
            ("POST", f"/tasks/memory/{path}?{name}={value}", name)
            for path in ("leak", "safe")
            for name, value in [
                ("count", "0"),
                ("count", "1001"),
                ("count", "-1"),
                ("count", "1&count=1"),
                ("sizeKb", "0"),
                ("sizeKb", "1025"),
                ("sizeKb", "1.5"),
            ]
        ),
    ],
)
async def test_a_parameter_out_of_range_is_refused(
    client: Client, method: str, target: str, field: str
) -> None:
    response = await client.ask(method, target)
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert details_of(response)["field"] == field
    assert not tracemalloc.is_tracing()
    assert await sizes(client) == (0, 0)


async def sizes(client: Client) -> tuple[int, int]:
    """Return how many bytes have leaked, and how many entries the cache has."""
    bounded = (await client.shown("/tasks/system/memory"))["bounded"]
    return bounded["leakedBytes"]["size"], bounded["cache"]["size"]


async def test_a_leak_grows_a_cache_does_not_and_both_are_emptied(client: Client) -> None:
    leak = await client.ask("POST", "/tasks/memory/leak")
    assert (leak.status, await sizes(client)) == (201, (100 * 8 * 1024, 0))
    await client.ask("POST", "/tasks/memory/leak?count=1000&sizeKb=1")
    assert await sizes(client) == (800 * 1024 + 1_000 * 1024, 0)

    for count in 60, 1_000, 1:
        kept = await client.ask("POST", f"/tasks/memory/safe?count={count}&sizeKb=1")
        assert kept.status == 201
        assert (await sizes(client))[1] == min(count, 100) or count == 1
    assert json.loads(kept.body)["cache"] == {"size": 100, "limit": 100}

    cleared = await client.ask("POST", "/tasks/memory/clear")
    assert (cleared.status, await sizes(client)) == (200, (0, 0))
    assert json.loads(cleared.body)["leakedBytes"]["size"] == 0


async def test_a_leak_over_the_bound_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MAX_LEAK_BYTES", 10 * 1024)
    assert (await client.ask("POST", "/tasks/memory/leak?count=10&sizeKb=1")).status == 201
    response = await client.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1")
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert await sizes(client) == (10 * 1024, 0)


@pytest.mark.parametrize("path", ["leak", "safe", "clear"])
async def test_a_user_may_not_fill_the_memory(client: Client, path: str) -> None:
    user = Client(client.app, TOKENS.user)
    assert (await user.ask("POST", f"/tasks/memory/{path}")).status == 403
    assert (await client.ask("GET", f"/tasks/memory/{path}")).status == 405


# The whole.


async def use(client: Client) -> None:
    """Do a bit of everything, as clients do for years; nothing of it stays in the store."""
    task = await client.created(title="a task", description="x" * 100)
    other = await client.created(dependencies=[task["id"]])
    for method, target in [
        ("GET", "/tasks"),
        ("GET", "/tasks/resolve"),
        ("GET", "/nowhere"),
        ("POST", "/tasks/claim"),
        ("PATCH", f"/tasks/{other['id']}"),
        ("GET", "/tasks/system/memory"),
        ("POST", "/tasks/memory/safe?sizeKb=1&count=3"),
        ("DELETE", f"/tasks/{task['id']}"),
        ("DELETE", f"/tasks/{other['id']}"),
    ]:
        await client.ask(method, target, {"priority": 5} if method == "PATCH" else None)


async def test_memory_does_not_grow_with_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "HISTORY_LENGTH", 50)
    monkeypatch.setattr(events, "MAX_EVENTS", 50)
    monkeypatch.setattr(logs, "MAX_LINES", 0)
    tracemalloc.start()
    try:
        async with new_client() as client:
            for _ in range(60):  # until every bound is reached
                await use(client)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(300):
                await use(client)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 80_000  # bytes, of 3,300 requests: one small string kept of each would show
